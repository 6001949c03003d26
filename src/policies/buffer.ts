/** Reads the whole request body before an endpoint is chosen. Hot after bind; the implementation is in proxy/. */
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const buffer: Policy<Extract<PolicyPlan, { type: 'buffer' }>> = {
  bind: ({ size }) => ({
    request: (_, context) => context.bufferBody(size),
    // The listener's timeouts.body bounds each pause of the client.
    timeout: Number.POSITIVE_INFINITY,
  }),
  why: ({ size }, x) => {
    if (x.bodyLength === 0) return 'there is no body';
    return x.bodyLength > size ? `the body is larger than ${size} bytes` : `reads a body of at most ${size} bytes`;
  },
};
