/**
 * `GET /config`, `PUT /config`: reads the source of the current config, and replaces it. Cold.
 *
 * Both need the token of `admin.push`; see docs/adr/0018-push-writes-the-file.md.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname } from 'node:path';
import type { Reload } from '../../runtime/reload/reload.ts';
import type { Reloader } from '../../runtime/reload/reloader.ts';
import { readBody } from '../body.ts';
import { matches } from '../entity-tag.ts';
import { type AdminContext, type Answer, type Handler, type Page, problem } from '../page.ts';
import { challenge } from '../guard.ts';
import { hasToken } from '../token.ts';
import { waitFor } from '../wait.ts';

const TYPES: Readonly<Record<string, string>> = { '.json': 'application/json', '.json5': 'application/json5' };

/** For slow compilations. A reload that takes longer can still be found by its id. */
const LONGEST = 300_000;

interface Allowed {
  /** The size limit of a pushed config, in bytes. */
  readonly maxSize: number;
  readonly reloader: Reloader;
}

/** Returns an error answer if the request is not allowed. */
function allow(
  { gateway, reloader }: AdminContext,
  message: IncomingMessage,
  response: ServerResponse,
): Allowed | Answer {
  const push = gateway.current?.plan.admin?.push ?? null;
  if (push === null || reloader === null) return problem(404, 'Not Found', 'admin.push is not set');
  if (hasToken(message, push.token)) return { maxSize: push.maxSize, reloader };
  challenge(message, response, 'config');
  if (message.headers.authorization !== undefined)
    gateway.log.warn('a client requested the config with a wrong token', {
      client: message.socket.remoteAddress ?? '',
    });
  return problem(401, 'Unauthorized');
}

const show: Handler = (context, { message }, response) => {
  const allowed = allow(context, message, response);
  if ('status' in allowed) return allowed;
  const shown = allowed.reloader.source();
  if (typeof shown === 'string') return problem(409, 'Conflict', shown);
  response.setHeader('etag', shown.tag);
  return { status: 200, type: TYPES[extname(shown.file).toLowerCase()] ?? 'application/yaml', body: shown.text };
};

const replace: Handler = async (context, { message }, response) => {
  const allowed = allow(context, message, response);
  if ('status' in allowed) return allowed;
  const { maxSize, reloader } = allowed;
  const field = message.headers['if-match'];
  // RFC 6585 §3.
  if (field === undefined)
    return problem(
      428,
      'Precondition Required',
      'If-Match must name the ETag of the config that this one was made from',
    );
  const expected = matches(field);
  if (expected === null) return problem(400, 'Bad Request', 'If-Match must be a list of entity tags');
  if ((message.headers['content-encoding'] ?? 'identity') !== 'identity')
    return problem(415, 'Unsupported Media Type', 'Content-Encoding must be identity');
  const bytes = await readBody(message, maxSize);
  if (bytes === 'gone') return null;
  if (bytes === 'too_large') {
    response.setHeader('connection', 'close');
    return problem(413, 'Content Too Large', `admin.push.max_size is ${maxSize} bytes`);
  }
  const reload = reloader.push(bytes, expected);
  if (reload === null) return problem(503, 'Service Unavailable', 'the gateway stops, or too many pushes wait');
  context.gateway.log.info('config pushed', { reload: reload.id, client: message.socket.remoteAddress ?? '' });
  response.setHeader('location', `/reloads/${reload.id}`);
  await waitFor(reload, { until: 'active', timeout: LONGEST }, response, context.gateway.clock);
  return outcome(reload, reloader, response);
};

/** Statuses by the reason of a failure. Other reasons are errors in the content. */
const REFUSED: Readonly<Record<string, readonly [number, string]>> = {
  stale: [412, 'Precondition Failed'],
  file: [409, 'Conflict'],
  bind: [409, 'Conflict'],
  defect: [500, 'Internal Server Error'],
};

function outcome(reload: Reload, reloader: Reloader, response: ServerResponse): Answer {
  const { view } = reload;
  const source = reloader.source();
  if (typeof source !== 'string') response.setHeader('etag', source.tag);
  if (view.result === 'pending') return { status: 202, body: view };
  if (view.result !== 'failed') return { status: 200, body: view };
  const [status, title] = REFUSED[view.reason] ?? [422, 'Unprocessable Content'];
  const { id, reason, problems, problems_left_out: more } = view;
  const { body } = problem(status, title, view.problem);
  // An extension of RFC 9457: the problems and their locations.
  const whole = { ...(JSON.parse(String(body)) as object), reload: id, reason, problems, problems_left_out: more };
  return { status, type: 'application/problem+json', body: `${JSON.stringify(whole)}\n` };
}

export const config: Page = { path: '/config', ownToken: true, GET: show, PUT: replace };
