/** `GET /health`: the process responds; `GET /ready`: the gateway takes traffic. Cold. */
import type { Page } from '../page.ts';

export const health: Page = {
  path: '/health',
  open: true,
  GET: () => ({ status: 200, body: { status: 'ok' } }),
};

/** With `?strict`, the gateway is not ready while it serves the last good config because its file is invalid. */
export const ready: Page = {
  path: '/ready',
  open: true,
  GET: ({ gateway: { state }, reloader }, { query }) => {
    const degraded = state === 'serving' && reloader?.history.fallback?.why === 'last_good';
    const ready = state === 'serving' && !(degraded && query.has('strict'));
    return { status: ready ? 200 : 503, body: { ready, state: degraded ? 'degraded' : state } };
  },
};
