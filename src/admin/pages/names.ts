/** `GET /names`: the names that endpoints are resolved from, and their records. Cold. */
import { nameViews } from '../../runtime/views/runtime-views.ts';
import type { Page } from '../page.ts';

export const names: Page = {
  path: '/names',
  GET: ({ gateway }) => ({ status: 200, body: nameViews(gateway) }),
};
