/** Records a finished exchange or relay: counters, and a line in the access log. Hot. */
import type { Exchange } from '../http/exchange.ts';
import type { RefusedHead } from '../http/server-stream.ts';
import { USER_AGENT } from '../http/known.ts';
import { statusClass } from '../http/status.ts';
import type { Connection } from '../net/connection.ts';
import type { TlsSession } from '../net/tls/tls-session.ts';
import { jsonText } from '../observe/json-text.ts';
import { type AccessLog, AccessRecord } from '../observe/access-log.ts';
import type { RouteMetrics } from '../observe/metrics.ts';
import type { Shared } from './listener-context.ts';

/** Characters of a name in a certificate that a line shows. */
const MOST_SUBJECT = 256;

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
  const { listener, clientPort } = x.connection;
  const record = new AccessRecord('http', now, x.generation, listener, x.clientAddress, clientPort);
  record.route = x.route;
  record.endpoint = x.endpoint;
  if (x.notes !== null) record.notes = noteText(x.notes);
  record.method = x.method;
  record.host = x.authority;
  record.target = x.target;
  record.version = x.version;
  record.status = x.status;
  record.bytesIn = x.bytesIn;
  record.bytesOut = x.bytesOut;
  record.duration = now - x.startedAt;
  if (x.upstreamAt !== 0) record.upstream = x.upstreamAt - x.startedAt;
  record.error = x.error;
  record.tls = tlsMembers(x.connection.tls);
  record.errorDetail = x.errorDetail;
  record.userAgent = x.fields.known(USER_AGENT) ?? '';
  log.write(record);
}

/** What an access log says of a client's TLS; made once per connection. */
function tlsMembers(tls: TlsSession | null): Uint8Array | null {
  if (tls === null) return null;
  let { logged } = tls;
  if (logged === null) {
    const { version, cipher, serverName, client } = tls;
    let text = version === '' ? '' : `,"tls_version":"${version}","tls_cipher":"${cipher}"`;
    if (serverName !== '') text += `,"server_name":"${serverName}"`;
    if (client !== null) {
      const { subject, spiffe, fingerprint } = client;
      if (subject !== '') text += `,"client_subject":${jsonText(subject.slice(0, MOST_SUBJECT))}`;
      if (spiffe !== '') text += `,"client_spiffe_id":${jsonText(spiffe.slice(0, MOST_SUBJECT))}`;
      text += `,"client_fingerprint":"${fingerprint}"`;
    }
    tls.logged = logged = Buffer.from(text, 'latin1');
  }
  return logged;
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
  const { listener, clientAddress, clientPort } = connection;
  const record = new AccessRecord('http', now, generation, listener, clientAddress, clientPort);
  if (head !== null) {
    record.method = head.method;
    record.host = head.host;
    record.target = head.target;
  }
  record.tls = tlsMembers(connection.tls);
  record.version = 11;
  record.status = status;
  record.error = error;
  log.write(record);
}

/** A finished relay. */
export interface RelayRecord {
  readonly connection: Connection;
  /** The TLS route that matched it, or ''. */
  readonly route: string;
  /** The server name of its ClientHello, or ''. */
  readonly serverName: string;
  readonly pool: string;
  /** Address of the endpoint that was tried last, or ''. */
  readonly endpointAddress: string;
  /** Details of its error, or ''. */
  readonly errorDetail: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Monotonic ms. */
  readonly startedAt: number;
}

/** Logs a connection whose TLS handshake failed. `tls`: what is known of it. */
export function logHandshake(
  log: AccessLog,
  kind: 'http' | 'tcp',
  { listener, clientAddress, clientPort }: Connection,
  generation: number,
  now: number,
  error: string,
  tls: TlsSession | null,
): void {
  const record = new AccessRecord(kind, now, generation, listener, clientAddress, clientPort);
  record.tls = tlsMembers(tls);
  record.error = error;
  log.write(record);
}

/** `now`: monotonic ms. */
export function logRelay(log: AccessLog, relay: RelayRecord, generation: number, now: number, error: string): void {
  const { listener, clientAddress, clientPort } = relay.connection;
  const record = new AccessRecord('tcp', now, generation, listener, clientAddress, clientPort);
  record.route = relay.route;
  record.endpoint = relay.endpointAddress;
  // Names of pools and servers need no escaping.
  record.notes = `,"pool":"${relay.pool}"`;
  record.tls = tlsMembers(relay.connection.tls);
  // That of a decrypted connection is among the members of its TLS.
  if (record.tls === null && relay.serverName !== '') record.notes += `,"server_name":"${relay.serverName}"`;
  record.bytesIn = relay.bytesIn;
  record.bytesOut = relay.bytesOut;
  record.duration = now - relay.startedAt;
  record.error = error;
  record.errorDetail = relay.errorDetail;
  log.write(record);
}
