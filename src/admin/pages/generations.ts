/** `GET /generations`: the current generation, and the older ones with their remaining work. Cold. */
import { generationViews } from '../../runtime/views/generation-views.ts';
import type { Page } from '../page.ts';

export const generations: Page = {
  path: '/generations',
  GET: async ({ gateway, reloader }) => ({
    status: 200,
    body: {
      last_reload: reloader?.reloads.last ?? null,
      warnings: reloader?.warnings ?? [],
      generations: await generationViews(gateway),
    },
  }),
};
