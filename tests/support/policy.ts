/** What a policy is bound in, for policies that need nothing of it. */
import type { FilterContext } from '../../src/http/interception.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import type { BindScope } from '../../src/policies/policy.ts';
import { ManualClock } from './manual-clock.ts';

const clock = new ManualClock();

export const NO_SCOPE: BindScope = {
  route: 'a',
  clock,
  deadlines: new Deadlines(clock),
  log: { info: () => {}, warn: () => {}, error: () => {} },
  claimed: () => {
    throw new Error('there is no cache');
  },
  pool: (name) => ({ name }),
};

/** The context of a request hook, for policies that need nothing of it. */
export const NO_CONTEXT: FilterContext = {
  signal: new AbortController().signal,
  upgrade: false,
  bufferBody: () => Promise.reject(new Error('no body is to be read')),
  send: () => Promise.reject(new Error('nothing is to be sent')),
  intercept: () => {
    throw new Error('nothing is to be intercepted');
  },
};
