/** The admin pages: views of the gateway as JSON and Prometheus text, and an operator's commands. Cold. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Gateway } from '../runtime/gateway.ts';
import { endpointViews } from '../runtime/inventory.ts';
import type { ReloadOutcome } from '../runtime/reloader.ts';
import { command, fromElsewhere, isCommand } from './duty.ts';
import { streamEvents } from './event-stream.ts';

/** Where the last reload's outcome comes from; null: the gateway has no file. */
export type LastReload = () => ReloadOutcome | null;

interface Page {
  readonly status: number;
  readonly body: unknown;
}

function ready(gateway: Gateway): Page {
  const { state } = gateway;
  return { status: state === 'serving' ? 200 : 503, body: { ready: state === 'serving', state } };
}

function generations(gateway: Gateway, last: ReloadOutcome | null): unknown {
  return {
    last_reload: last,
    generations: gateway.snapshots.map(({ generation, retired, boundAt, leases }) => ({
      generation,
      state: retired ? 'draining' : 'active',
      since: new Date(boundAt).toISOString(),
      leases,
    })),
  };
}

function routes(gateway: Gateway): unknown {
  return (gateway.current?.plan.routes ?? []).map(({ name, listeners, match, policies, action, mirror }) => ({
    name,
    listeners,
    match,
    policies: policies.map(({ type }) => type),
    action: action.type,
    pool: action.type === 'pool' ? action.pool.name : null,
    split: action.type === 'split' ? action.parts.map(({ pool, weight }) => ({ pool: pool.name, weight })) : null,
    mirror: mirror?.pool.name ?? null,
  }));
}

const PATHS = ['/health', '/ready', '/metrics', '/backends', '/routes', '/generations', '/events'];

function pageOf(path: string, gateway: Gateway, last: LastReload): Page | null {
  switch (path) {
    case '/':
      return { status: 200, body: { name: 'prozy', pages: PATHS } };
    case '/health':
      return { status: 200, body: { status: 'ok' } };
    case '/ready':
      return ready(gateway);
    case '/backends':
      return { status: 200, body: endpointViews(gateway) };
    case '/routes':
      return { status: 200, body: routes(gateway) };
    case '/generations':
      return { status: 200, body: generations(gateway, last()) };
    default:
      return null;
  }
}

export function adminPages(
  last: LastReload,
): (gateway: Gateway, request: IncomingMessage, response: ServerResponse) => void {
  return (gateway, request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        'cache-control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const problem = (status: number, title: string): void =>
      send(status, 'application/problem+json', `${JSON.stringify({ type: 'about:blank', title, status })}\n`);
    if (isCommand(path)) {
      if (request.method !== 'POST') {
        response.setHeader('allow', 'POST');
        problem(405, 'Method Not Allowed');
        return;
      }
      const view = fromElsewhere(request) ? undefined : command(gateway, path);
      if (view === undefined) problem(403, 'Forbidden');
      else if (view === null) problem(404, 'Not Found');
      else send(200, 'application/json', `${JSON.stringify(view, null, 2)}\n`);
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      problem(405, 'Method Not Allowed');
    } else if (path === '/events' && request.method === 'GET') {
      streamEvents(gateway, response);
    } else if (path === '/metrics') {
      gateway.exposition.text().then(
        (text) => send(200, 'text/plain; version=0.0.4; charset=utf-8', text),
        () => problem(500, 'Internal Server Error'),
      );
    } else {
      const page = pageOf(path, gateway, last);
      if (page === null) problem(404, 'Not Found');
      else send(page.status, 'application/json', `${JSON.stringify(page.body, null, 2)}\n`);
    }
  };
}
