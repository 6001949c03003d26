/** `GET /routes`: the current routes, in order. Cold. */
import type { Page } from '../page.ts';

export const routes: Page = {
  path: '/routes',
  GET: ({ gateway }) => ({
    status: 200,
    body: (gateway.current?.plan.routes ?? []).map(({ name, listeners, match, policies, action, mirror }) => ({
      name,
      listeners,
      match,
      policies: policies.map(({ type }) => type),
      action: action.type,
      pool: action.type === 'pool' ? action.pool.name : null,
      split: action.type === 'split' ? action.parts.map(({ pool, weight }) => ({ pool: pool.name, weight })) : null,
      mirror: mirror?.pool.name ?? null,
    })),
  }),
};
