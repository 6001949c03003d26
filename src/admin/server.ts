/** Serves the admin listener: finds the page, checks the method and the access, sends the answer. Cold. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AdminPages } from '../runtime/admin-listener.ts';
import type { Reloader } from '../runtime/reload/reloader.ts';
import { type AdminContext, type Answer, type Handler, type Page, problem } from './page.ts';
import { refuse } from './guard.ts';
import { pages } from './pages/index.ts';

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'DELETE'];

const patterns = pages.map((page) => ({ page, segments: page.path.split('/') }));

/** `reloader` returns the gateway's reloader once it exists. */
export function adminPages(reloader: () => Reloader | null): AdminPages {
  return (gateway, message, response) => {
    answer({ gateway, reloader: reloader() }, message, response).then(
      (answered) => answered !== null && send(message, response, answered),
      (error: unknown) => {
        gateway.log.error('an admin page failed', { path: message.url ?? '', error: String(error) });
        if (response.headersSent) response.destroy();
        else send(message, response, problem(500, 'Internal Server Error'));
      },
    );
  };
}

async function answer(
  context: AdminContext,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<Answer | null> {
  const [path = '/', query = ''] = (message.url ?? '/').split('?');
  const found = find(path);
  if (found === null) return problem(404, 'Not Found');
  const handler = handlerOf(found.page, message.method);
  if (handler === undefined) {
    response.setHeader('allow', allowed(found.page));
    return problem(405, 'Method Not Allowed');
  }
  const refusal = refuse(context, found.page, message, response);
  if (refusal !== null) return refusal;
  const { params } = found;
  return handler(context, { params, query: new URLSearchParams(query), message }, response);
}

function find(path: string): { page: Page; params: Readonly<Record<string, string>> } | null {
  const segments = path.split('/');
  for (const { page, segments: pattern } of patterns) {
    const params = paramsOf(pattern, segments);
    if (params !== null) return { page, params };
  }
  return null;
}

/** Returns null if the path belongs to another page. */
function paramsOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (const [i, wanted] of pattern.entries()) {
    const segment = segments[i]!;
    if (!wanted.startsWith(':')) {
      if (wanted !== segment) return null;
      continue;
    }
    try {
      params[wanted.slice(1)] = decodeURIComponent(segment);
    } catch {
      // Invalid percent-encoding: no page or name matches it.
      return null;
    }
  }
  return params;
}

function handlerOf(page: Page, method: string | undefined): Handler | undefined {
  const wanted = method === 'HEAD' ? 'GET' : METHODS.find((known) => known === method);
  return wanted === undefined ? undefined : page[wanted];
}

function allowed(page: Page): string {
  return METHODS.filter((method) => page[method] !== undefined)
    .flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    .join(', ');
}

function send(message: IncomingMessage, response: ServerResponse, { status, type, body }: Answer): void {
  const text = type !== undefined && typeof body === 'string' ? body : `${JSON.stringify(body, null, 2)}\n`;
  response.writeHead(status, STATUS_CODES[status], {
    'content-type': type ?? 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(message.method === 'HEAD' ? undefined : text);
}
