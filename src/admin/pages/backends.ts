/** `GET /backends`: every endpoint with its health, load and latency. Cold. */
import { endpointViews } from '../../runtime/views/runtime-views.ts';
import type { Page } from '../page.ts';

export const backends: Page = {
  path: '/backends',
  GET: ({ gateway }) => ({ status: 200, body: endpointViews(gateway) }),
};
