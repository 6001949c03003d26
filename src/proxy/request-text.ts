/** The head of the upstream request, as text (RFC 9112 §3, RFC 9110 §7.6). Hot. */
import type { Exchange } from '../http/exchange.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { ownRequestLines } from '../http/identity.ts';
import { EXPECT, HOST, TE } from '../http/known.ts';
import { HTTP_1_0 } from '../http/message.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';

const VERSION = ' HTTP/1.1\r\n';

/** `offered`: the protocols that the client offers to upgrade to, or ''. */
export function requestText(x: Exchange, offered: string): string {
  const { fields } = x;
  const trailers = fields.has(TE) && takesTrailers(x);
  stripHopByHop(fields, 0);
  // RFC 9110 §10.1.1: Expect is ignored in an HTTP/1.0 request.
  if (x.version === HTTP_1_0) fields.removeKnown(EXPECT);
  const identity = ownRequestLines(x);
  const path = x.receivedPath === '' ? x.path : x.receivedPath;
  if (goesAsItCame(x, path)) return `${fields.text.slice(0, fields.end)}${identity}\r\n`;
  let lines = fields.lines() + identity;
  if (!fields.has(HOST) && x.authority === '') lines = `Host: ${localAuthority(x)}\r\n${lines}`;
  if (x.bodyLength < 0) lines += 'Transfer-Encoding: chunked\r\n';
  // RFC 9110 §10.1.4: TE is hop-by-hop, and this hop takes trailers if the client does.
  if (trailers) lines += 'TE: trailers\r\n';
  if (offered !== '') lines += `Connection: Upgrade${trailers ? ', TE' : ''}\r\nUpgrade: ${offered}\r\n`;
  else if (trailers) lines += 'Connection: TE\r\n';
  return `${x.method} ${path}${x.query} HTTP/1.1\r\n${lines}\r\n`;
}

const HOST_LINE = /\r\nHost:[^\r]*/i;

/** The Host for this endpoint of the pool; null: the client's. */
export function hostFor({ plan: { host } }: Pool, endpoint: EndpointState): string | null {
  if (host.type === 'preserve') return null;
  return host.type === 'fixed' ? host.host : endpoint.host;
}

/** The request's text for this endpoint of the pool. */
export function textFor(text: string, pool: Pool, endpoint: EndpointState): string {
  const host = hostFor(pool, endpoint);
  return host === null ? text : withHost(text, host);
}

export function withHost(text: string, host: string): string {
  const line = HOST_LINE.exec(text);
  if (line === null) return text;
  return `${text.slice(0, line.index)}\r\nHost: ${host}${text.slice(line.index + line[0].length)}`;
}

/**
 * Does the client accept trailers (RFC 9110 §6.5.1)? HTTP/1.0 clients do not: they have no chunked coding to carry
 * them.
 */
function takesTrailers({ fields, version }: Exchange): boolean {
  if (version === HTTP_1_0) return false;
  const codings = fields.known(TE) ?? '';
  return codings === 'trailers' || /(?:^|,)[\t ]*trailers[\t ]*(?:,|$)/i.test(codings);
}

/**
 * Is the head unchanged? Most heads are, and their text is copied in one piece. A head that begins with an empty line
 * (RFC 9112 §2.2), or has another version, is rebuilt.
 */
function goesAsItCame({ fields, method, query }: Exchange, path: string): boolean {
  const { text, table, count } = fields;
  if (!fields.untouched || count === 0) return false;
  const pathStart = method.length + 1;
  const pathEnd = pathStart + path.length;
  const queryEnd = pathEnd + query.length;
  return (
    queryEnd + VERSION.length === table[0] &&
    text.startsWith(method) &&
    text.startsWith(path, pathStart) &&
    text.startsWith(query, pathEnd) &&
    text.startsWith(VERSION, queryEnd)
  );
}

/** An HTTP/1.0 client may omit Host, but HTTP/1.1 upstreams need one: the local address stands in. */
export function localAuthority(x: Exchange): string {
  const { localAddress, localPort } = x.connection;
  if (localPort === 0) return 'localhost';
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
