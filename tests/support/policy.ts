/** What a policy is bound in, for policies that need nothing of it. */
import { Deadlines } from '../../src/net/deadlines.ts';
import type { BindScope } from '../../src/policies/policy.ts';
import { ManualClock } from './manual-clock.ts';

const clock = new ManualClock();

export const NO_SCOPE: BindScope = {
  route: 'a',
  clock,
  deadlines: new Deadlines(clock),
  log: { info: () => {}, warn: () => {}, error: () => {} },
  cache: () => {
    throw new Error('there is no cache');
  },
};
