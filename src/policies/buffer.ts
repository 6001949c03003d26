/** Reads the whole request body before an endpoint is chosen. Hot after bind; the implementation is in proxy/. */
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const buffer: Policy<Extract<PolicyPlan, { type: 'buffer' }>> = {
  bind: ({ size }) => ({
    request: (x, context) => (x.bodyLength === 0 ? undefined : context.bufferBody(size)),
  }),
  preview: ({ size }, x) =>
    x.bodyLength > size
      ? { verdict: 'answers', why: `413: the body is larger than ${size} bytes` }
      : { verdict: 'passes', why: x.bodyLength === 0 ? 'there is no body' : `reads a body of at most ${size} bytes` },
};
