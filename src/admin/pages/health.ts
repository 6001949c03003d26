/** `GET /health`: the process answers; `GET /ready`: it takes traffic. Cold. */
import type { Page } from '../page.ts';

export const health: Page = {
  path: '/health',
  GET: () => ({ status: 200, body: { status: 'ok' } }),
};

export const ready: Page = {
  path: '/ready',
  GET: ({ gateway: { state } }) => ({
    status: state === 'serving' ? 200 : 503,
    body: { ready: state === 'serving', state },
  }),
};
