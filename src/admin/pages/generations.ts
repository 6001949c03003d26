/** `GET /generations`: what is current, and what still runs on what was. Cold. */
import type { Page } from '../page.ts';

export const generations: Page = {
  path: '/generations',
  GET: ({ gateway, reloader }) => ({
    status: 200,
    body: {
      last_reload: reloader?.last ?? null,
      generations: gateway.snapshots.map(({ generation, retired, boundAt, leases }) => ({
        generation,
        state: retired ? 'draining' : 'active',
        since: new Date(boundAt).toISOString(),
        leases,
      })),
    },
  }),
};
