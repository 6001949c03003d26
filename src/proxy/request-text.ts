/** The head of the request that goes to the upstream, as text (RFC 9112 §3, RFC 9110 §7.6). Hot. */
import type { AddressSet } from '../kit/address-set.ts';
import type { Exchange } from '../http/exchange.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { identityLines } from '../http/identity.ts';
import { EXPECT, HOST } from '../http/known.ts';
import { VIA_LINES } from '../http/via.ts';

/** `offered`: the protocols that the client offers to change to, or ''. */
export function requestText(x: Exchange, trusted: AddressSet, offered: string): string {
  const { fields, connection } = x;
  stripHopByHop(fields, 0);
  // RFC 9110 §10.1.1: an HTTP/1.0 client cannot mean it.
  if (x.minor === 0) fields.removeKnown(EXPECT);
  const identity = identityLines(x, trusted.has(connection.clientAddress));
  let lines = fields.lines() + identity + VIA_LINES[x.minor]!;
  if (!fields.has(HOST) && x.authority === '') lines = `Host: ${localAuthority(x)}\r\n${lines}`;
  if (x.bodyLength < 0) lines += 'Transfer-Encoding: chunked\r\n';
  if (offered !== '') lines += `Connection: Upgrade\r\nUpgrade: ${offered}\r\n`;
  const path = x.receivedPath === '' ? x.path : x.receivedPath;
  return `${x.method} ${path}${x.query} HTTP/1.1\r\n${lines}\r\n`;
}

/** An HTTP/1.0 client may leave the Host out, HTTP/1.1 upstreams need one: where the client came in. */
export function localAuthority(x: Exchange): string {
  const { localAddress, localPort } = x.connection;
  if (localPort === 0) return 'localhost';
  return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
