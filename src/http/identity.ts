/**
 * Who the request is for and from, told to the upstream: Forwarded (RFC 7239) and X-Forwarded-*. Hot.
 *
 * What the client says of itself is believed only if it is a trusted proxy: then it is appended to, else replaced. One
 * client asks for one host nearly always, so the lines are kept with the connection and built again only when that
 * changes.
 */
import { isIPv6 } from 'node:net';
import type { AddressSet } from '../kit/address-set.ts';
import type { Connection } from '../net/connection.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import { FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO } from './known.ts';

const FIELDS = [FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PORT, X_FORWARDED_PROTO];
const MASK = FIELDS.reduce((mask, id) => mask | (1 << id), 0);

/** Takes the client's own fields out where they are not believed, and answers with the lines to send instead. */
export function identityLines(x: Exchange, trusted: boolean): string {
  const { connection, authority, fields } = x;
  if ((fields.seen & MASK) !== 0) {
    if (trusted) return appendedLines(x);
    for (let i = 0; i < FIELDS.length; i++) fields.removeKnown(FIELDS[i]!);
  }
  if (connection.identityAuthority !== authority) {
    connection.identityAuthority = authority;
    connection.identityLines = ownLines(connection, authority);
  }
  return connection.identityLines;
}

function scheme(connection: Connection): string {
  return connection.secure ? 'https' : 'http';
}

/** RFC 7239 §6: an IPv6 address in brackets and quotes; what is no address is "unknown". */
function forwardedFor(address: string): string {
  if (address === 'unix:') return 'unknown';
  return isIPv6(address) ? `"[${address}]"` : address;
}

function quoted(value: string): string {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(value) ? value : `"${value}"`;
}

function forwardedElement(connection: Connection, authority: string): string {
  const host = authority === '' ? '' : `;host=${quoted(authority)}`;
  return `for=${forwardedFor(connection.clientAddress)}${host};proto=${scheme(connection)}`;
}

function ownLines(connection: Connection, authority: string): string {
  const host = authority === '' ? '' : `X-Forwarded-Host: ${authority}\r\n`;
  const address = connection.clientAddress === 'unix:' ? 'unknown' : connection.clientAddress;
  return (
    `Forwarded: ${forwardedElement(connection, authority)}\r\n` +
    `X-Forwarded-For: ${address}\r\n${host}X-Forwarded-Proto: ${scheme(connection)}\r\n`
  );
}

/** Behind a trusted proxy: its lists go on with this hop; its word on host and scheme stands. */
function appendedLines(x: Exchange): string {
  const { connection, authority, fields } = x;
  const address = connection.clientAddress === 'unix:' ? 'unknown' : connection.clientAddress;
  const forwarded = balanced(fields.known(FORWARDED));
  const chain = fields.known(X_FORWARDED_FOR);
  const host = fields.known(X_FORWARDED_HOST) ?? authority;
  const proto = fields.known(X_FORWARDED_PROTO) ?? scheme(connection);
  const port = fields.known(X_FORWARDED_PORT);
  for (let i = 0; i < FIELDS.length; i++) fields.removeKnown(FIELDS[i]!);
  const element = forwardedElement(connection, authority);
  return (
    `Forwarded: ${forwarded === undefined ? '' : `${forwarded}, `}${element}\r\n` +
    `X-Forwarded-For: ${chain === undefined ? '' : `${chain}, `}${address}\r\n` +
    (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`) +
    `X-Forwarded-Proto: ${proto}\r\n` +
    (port === undefined ? '' : `X-Forwarded-Port: ${port}\r\n`)
  );
}

/** Undefined if a quoted string in it does not end: what is appended to it would become part of that string. */
function balanced(value: string | undefined): string | undefined {
  return value !== undefined && /^(?:[^"]|"(?:[^"\\]|\\.)*")*$/.test(value) ? value : undefined;
}

/**
 * The address that ACLs judge: the peer's, or behind trusted proxies the last one in X-Forwarded-For that is not one of
 * them (read from the right: what stands further left is hearsay).
 */
export function clientAddress(connection: Connection, fields: Fields, trusted: AddressSet): string {
  const peer = connection.clientAddress;
  if (trusted.empty || !trusted.has(peer)) return peer;
  const chain = fields.known(X_FORWARDED_FOR);
  if (chain === undefined) return peer;
  const hops = chain.split(',');
  let client = peer;
  for (let i = hops.length - 1; i >= 0; i--) {
    const hop = bareAddress(hops[i]!.trim());
    if (hop === null) return client;
    client = hop;
    if (!trusted.has(hop)) return client;
  }
  return client;
}

/** An address without brackets and port, or null if it is none. */
function bareAddress(text: string): string | null {
  const match = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+)(?::\d+)?|([0-9a-f:.]+))$/i.exec(text);
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? null;
}
