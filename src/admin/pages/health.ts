/** `GET /health`: the process responds; `GET /ready`: the gateway takes traffic. Cold. */
import { temporaryCertificates } from '../../runtime/views/certificates.ts';
import type { Page } from '../page.ts';

export const health: Page = {
  path: '/health',
  open: true,
  GET: () => ({ status: 200, body: { status: 'ok' } }),
};

/**
 * With `?strict`, the gateway is not ready while it serves the last good config because its file is invalid, or a
 * self-signed certificate because it has not obtained the real one.
 */
export const ready: Page = {
  path: '/ready',
  open: true,
  GET: ({ gateway, reloader }, { query }) => {
    const { state } = gateway;
    const temporary = temporaryCertificates(gateway);
    const lastGood = reloader?.history.fallback?.why === 'last_good';
    const degraded = state === 'serving' && (lastGood || temporary.length > 0);
    const ready = state === 'serving' && !(degraded && query.has('strict'));
    const body = { ready, state: degraded ? 'degraded' : state };
    const told = temporary.length === 0 ? body : { ...body, temporary_certificates: temporary };
    return { status: ready ? 200 : 503, body: told };
  },
};
