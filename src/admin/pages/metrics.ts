/** `GET /metrics`: the Prometheus text format. Cold. */
import type { Page } from '../page.ts';

export const metrics: Page = {
  path: '/metrics',
  GET: async ({ gateway }) => ({
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    body: await gateway.exposition.text(),
  }),
};
