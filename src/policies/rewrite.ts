/** Replaces a prefix of the path by whole segments; the query is unchanged. Hot after bind. */
import { announcePrefix } from '../http/identity.ts';
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const rewrite: Policy<Extract<PolicyPlan, { type: 'rewrite' }>> = {
  bind: ({ prefix, replacement }) => {
    const from = prefix === '/' ? '' : prefix;
    const to = replacement.endsWith('/') ? replacement.slice(0, -1) : replacement;
    const own = [{ from, to }];
    // A replacement prefix is not part of the client's URL, so X-Forwarded-Prefix could not describe it.
    const announced = from !== '' && to === '';
    return {
      forward: (x) => {
        const routed = restOf(x.routedPath, from);
        if (routed === null) return;
        // If only rules see the prefix (`//v1/x`, `/v1%2Fx`), the path is sent in the rules' form.
        const rest = restOf(x.path, from) ?? routed;
        x.path = to + rest === '' ? '/' : to + rest;
        x.routedPath = to + routed === '' ? '/' : to + routed;
        x.receivedPath = '';
        x.rewritten = x.rewritten === null ? own : [...x.rewritten, ...own];
        if (announced) announcePrefix(x, from);
      },
    };
  },
  why: ({ prefix, replacement }) => `${replacement} in place of ${prefix}`,
};

/** Returns the path after the prefix, or null if the path does not begin with it. */
function restOf(path: string, prefix: string): string | null {
  if (!path.startsWith(prefix)) return null;
  const rest = path.slice(prefix.length);
  return rest === '' || rest.startsWith('/') ? rest : null;
}
