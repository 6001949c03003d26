/** `GET /health`: the process answers; `GET /ready`: it takes traffic. Cold. */
import type { Page } from '../page.ts';

export const health: Page = {
  path: '/health',
  open: true,
  GET: () => ({ status: 200, body: { status: 'ok' } }),
};

/** `?strict`: not while it serves what was last in effect because its file can't be. */
export const ready: Page = {
  path: '/ready',
  open: true,
  GET: ({ gateway: { state }, reloader }, { query }) => {
    const degraded = state === 'serving' && reloader?.history.fallback?.why === 'last_good';
    const ready = state === 'serving' && !(degraded && query.has('strict'));
    return { status: ready ? 200 : 503, body: { ready, state: degraded ? 'degraded' : state } };
  },
};
