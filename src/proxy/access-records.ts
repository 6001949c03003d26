/** Records a finished exchange or relay: counters, and a line in the access log. Hot. */
import type { Exchange } from '../http/exchange.ts';
import type { RefusedHead } from '../http/server-stream.ts';
import { USER_AGENT } from '../http/known.ts';
import { statusClass } from '../http/status.ts';
import type { Connection } from '../net/connection.ts';
import type { AccessLog } from '../observe/access-log.ts';
import type { RouteMetrics } from '../observe/metrics.ts';
import type { Shared } from './listener-context.ts';
import type { Relay } from './relay.ts';

/**
 * Error codes for requests that could not be parsed, by response status; 0: the client left before the request was
 * complete.
 */
const REFUSALS: Readonly<Record<number, string>> = {
  0: 'client_gone',
  400: 'bad_request',
  408: 'header_timeout',
  413: 'body_too_large',
  414: 'uri_too_long',
  417: 'expectation_failed',
  431: 'header_too_large',
  501: 'not_implemented',
  503: 'listener_closed',
  505: 'version_not_supported',
};

/** Counts a finished exchange and logs it. */
export function recordExchange(x: Exchange, { clock, accessLog }: Shared, metrics: RouteMetrics): void {
  const now = clock.now();
  metrics.responses[statusClass(x.status)]!++;
  metrics.duration.observe(now - x.startedAt);
  metrics.bytesIn += x.bytesIn;
  metrics.bytesOut += x.bytesOut;
  if (accessLog !== null) logExchange(accessLog, x, now);
}

/** `now`: monotonic ms. */
function logExchange(log: AccessLog, x: Exchange, now: number): void {
  log.write({
    now,
    kind: 'http',
    generation: x.generation,
    listener: x.connection.listener,
    client: x.clientAddress,
    clientPort: x.connection.clientPort,
    route: x.route,
    endpoint: x.endpoint,
    notes: x.notes === null ? '' : noteText(x.notes),
    method: x.method,
    host: x.authority,
    target: x.target,
    version: x.version,
    status: x.status,
    bytesIn: x.bytesIn,
    bytesOut: x.bytesOut,
    duration: now - x.startedAt,
    upstream: x.upstreamAt === 0 ? 0 : x.upstreamAt - x.startedAt,
    error: x.error,
    userAgent: x.fields.known(USER_AGENT) ?? '',
  });
}

/** As members of a JSON object, each after a comma. */
function noteText(notes: readonly string[]): string {
  let text = '';
  for (let at = 0; at < notes.length; at += 2) text += `,${JSON.stringify(notes[at])}:${JSON.stringify(notes[at + 1])}`;
  return text;
}

/** Logs a request that never became an exchange. Only the client, the status and perhaps the reason are known. */
export function logRefusal(
  log: AccessLog,
  connection: Connection,
  generation: number,
  status: number,
  now: number,
  error = REFUSALS[status] ?? 'bad_request',
  head: RefusedHead | null = null,
): void {
  log.write({
    now,
    kind: 'http',
    generation,
    listener: connection.listener,
    client: connection.clientAddress,
    clientPort: connection.clientPort,
    route: '',
    endpoint: '',
    notes: '',
    method: head?.method ?? '',
    host: head?.host ?? '',
    target: head?.target ?? '',
    version: 11,
    status,
    bytesIn: 0,
    bytesOut: 0,
    duration: 0,
    upstream: 0,
    error,
    userAgent: '',
  });
}

/** `now`: monotonic ms. */
export function logRelay(log: AccessLog, relay: Relay, generation: number, now: number, error: string): void {
  const { connection } = relay;
  log.write({
    now,
    kind: 'tcp',
    generation,
    listener: connection.listener,
    client: connection.clientAddress,
    clientPort: connection.clientPort,
    route: '',
    endpoint: relay.endpointAddress,
    notes: '',
    method: '',
    host: '',
    target: '',
    version: 0,
    status: 0,
    bytesIn: relay.bytesIn,
    bytesOut: relay.bytesOut,
    duration: now - relay.startedAt,
    upstream: 0,
    error,
    userAgent: '',
  });
}
