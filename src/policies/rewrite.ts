/** Puts another prefix in place of the path's, by whole segments; the query stays. Hot after bind. */
import type { PolicyPlan } from '../plan/types.ts';
import type { Policy } from './policy.ts';

export const rewrite: Policy<Extract<PolicyPlan, { type: 'rewrite' }>> = {
  bind: ({ prefix, replacement }) => {
    const from = prefix === '/' ? '' : prefix;
    const to = replacement.endsWith('/') ? replacement.slice(0, -1) : replacement;
    return {
      forward: (x) => {
        const { path } = x;
        if (!path.startsWith(from)) return;
        const rest = path.slice(from.length);
        if (rest !== '' && !rest.startsWith('/')) return;
        x.path = to + rest === '' ? '/' : to + rest;
      },
    };
  },
  why: ({ prefix, replacement }) => `${replacement} in place of ${prefix}`,
};
