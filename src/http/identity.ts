/**
 * The identity of a request: which fields the gateway believes, and what it tells the upstream. Hot.
 *
 * When a request arrives, `siftIdentity` removes the fields that its peer is not trusted to set, and reads what a
 * trusted proxy sends in either form. `identityLines` sends the result in every configured form (RFC 7239 §7.4). A
 * client nearly always requests one host, so the connection caches the lines for requests without such fields and
 * rebuilds them only when the host changes.
 */
import type { AddressSet } from '../kit/address-set.ts';
import type { Connection } from '../net/connection.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import { parseAuthority } from './authority.ts';
import type { Exchange } from './exchange.ts';
import type { Fields } from './fields.ts';
import { type Claims, claimsOf } from './claims.ts';
import { forwardedNode, hostAndProto } from './forwarded.ts';
import {
  FORWARDED,
  IDENTITY,
  idOfAlike,
  UNDERSCORED,
  X_FORWARDED_FOR,
  X_FORWARDED_HOST,
  X_FORWARDED_PORT,
  X_FORWARDED_PROTO,
} from './known.ts';
import { viaReceivedIn } from './via.ts';

/** The fields that the gateway itself writes. */
const OWN_MASK =
  (1 << FORWARDED) |
  (1 << X_FORWARDED_FOR) |
  (1 << X_FORWARDED_HOST) |
  (1 << X_FORWARDED_PORT) |
  (1 << X_FORWARDED_PROTO);
const IDENTITY_MASK = 1 << IDENTITY;
const UNDERSCORED_MASK = 1 << UNDERSCORED;
const SIFTED = OWN_MASK | IDENTITY_MASK | UNDERSCORED_MASK;

/** For a listener without identity settings. */
export const DEFAULT_IDENTITY: IdentityPlan = {
  send: 'both',
  believe: 'either',
  port: false,
  realIp: false,
  clientCert: 'none',
  via: 'response',
  untrusted: 'drop',
  underscores: 'drop',
};

/** A listener's identity settings and its trusted proxies. */
export interface IdentityRules {
  readonly identity: IdentityPlan;
  readonly trusted: AddressSet;
}

/** Removes fields that the peer may not set, and sets `clientAddress`. Returns false if the request must be refused. */
export function siftIdentity(x: Exchange, { identity, trusted }: IdentityRules): boolean {
  const { fields, connection } = x;
  x.identity = identity;
  const peer = connection.clientAddress;
  x.clientAddress = peer;
  if ((fields.seen & SIFTED) === 0) return true;
  const believed = !trusted.empty && trusted.has(peer);
  if ((fields.seen & UNDERSCORED_MASK) !== 0) {
    if (identity.underscores === 'refuse') return false;
    if (identity.underscores === 'drop') fields.removeAll(UNDERSCORED_MASK);
    else dropAlike(fields, identity.untrusted === 'pass' && !believed && identity.clientCert === 'none');
  }
  if (identity.clientCert !== 'none' && (fields.seen & IDENTITY_MASK) !== 0) {
    // RFC 9440 §2.4: the gateway's own to write, from any peer.
    fields.remove('client-cert');
    fields.remove('client-cert-chain');
  }
  if (!believed) {
    fields.removeAll(identity.untrusted === 'pass' ? OWN_MASK : OWN_MASK | IDENTITY_MASK);
    return true;
  }
  if ((fields.seen & OWN_MASK) === 0) return true;
  x.claims = claimsOf(x, trusted);
  x.clientAddress = x.claims.client;
  return true;
}

/** Removes names that frameworks may read as a field that the gateway controls, such as Content_Length. */
function dropAlike(fields: Fields, passIdentity: boolean): void {
  for (let i = 0; i < fields.count; i++) {
    if (fields.ids[i] !== UNDERSCORED) continue;
    const id = idOfAlike(fields.nameAt(i));
    if (id !== 0 && !(passIdentity && id === IDENTITY)) fields.removeAt(i);
  }
}

// === what the client requested

function schemeOf(connection: Connection): 'http' | 'https' {
  return connection.secure ? 'https' : 'http';
}

/** The scheme and authority of the URL as the client knows it. The authority is '' if an HTTP/1.0 client sends none. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https';
  readonly authority: string;
}

export function publicOrigin(x: Exchange): PublicOrigin {
  const { authority, claims } = x;
  return { scheme: publicScheme(x), authority: claims === null || claims.host === '' ? authority : claims.host };
}

export function publicScheme({ connection, claims }: Exchange): 'http' | 'https' {
  return claims === null || claims.proto === '' ? schemeOf(connection) : claims.proto;
}

// === what the upstream gets

/** Removes received fields that the gateway itself writes, and returns the lines to send instead. */
function identityLines(x: Exchange): string {
  const { connection, authority, fields, identity, claims } = x;
  if (claims !== null) {
    fields.removeAll(OWN_MASK);
    return claimedLines(x, claims) + realIp(x);
  }
  if (connection.identityAuthority !== authority || connection.identityPlan !== identity) {
    connection.identityAuthority = authority;
    connection.identityPlan = identity;
    connection.identityLines = ownLines(x);
  }
  return identity.realIp ? connection.identityLines + realIp(x) : connection.identityLines;
}

/**
 * Adds the lines that the gateway would write to the request's fields, so that the config's edits apply to them. The
 * gateway then doesn't write them again. Only for routes whose edits name such a field.
 */
export function identityAsFields(x: Exchange): void {
  if (x.identityEdited) return;
  const lines = identityLines(x) + viaLine(x);
  x.identityEdited = true;
  for (let at = 0; at < lines.length; ) {
    const end = lines.indexOf('\r\n', at);
    const colon = lines.indexOf(':', at);
    x.fields.add(lines.slice(at, colon), lines.slice(colon + 2, end));
    at = end + 2;
  }
}

/** X-Forwarded-Prefix: the part of the client's URL that precedes the path that the upstream gets. */
export function announcePrefix({ fields, identity, prefixEdited }: Exchange, prefix: string): void {
  if (prefixEdited || !sendsXForwarded(identity)) return;
  const before = fields.get('x-forwarded-prefix') ?? '';
  if (before === '') fields.add('X-Forwarded-Prefix', prefix);
  else fields.set('X-Forwarded-Prefix', `${before.replace(/\/$/, '')}${prefix}`);
}

/** All identity lines that the gateway writes for a request. */
export function ownRequestLines(x: Exchange): string {
  return x.identityEdited ? '' : identityLines(x) + viaLine(x);
}

/** Lower-case names of the request fields that the gateway writes and that the config's edits may change. */
export const OWN_REQUEST_FIELDS: ReadonlySet<string> = new Set([
  'client-cert',
  'client-cert-chain',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
]);

/** Off by default for requests: docs/adr/0024-no-via-on-requests.md. */
function viaLine({ identity: { via }, version }: Exchange): string {
  return via === 'request' || via === 'both' ? viaReceivedIn(version) : '';
}

function sendsXForwarded({ send }: IdentityPlan): boolean {
  return send === 'both' || send === 'x_forwarded';
}

function sendsForwarded({ send }: IdentityPlan): boolean {
  return send === 'both' || send === 'forwarded';
}

/** The peer of a Unix socket has no address. */
function addressOf(connection: Connection): string {
  return connection.clientAddress === 'unix:' ? 'unknown' : connection.clientAddress;
}

function realIp({ identity, fields, clientAddress }: Exchange): string {
  if (!identity.realIp || clientAddress === 'unix:') return '';
  if (fields.has(IDENTITY)) fields.remove('x-real-ip');
  return `X-Real-IP: ${clientAddress}\r\n`;
}

/** Client-Cert and Client-Cert-Chain (RFC 9440). */
function clientCertLines({ connection: { tls }, identity: { clientCert } }: Exchange): string {
  if (clientCert === 'none' || tls === null || tls.client === null) return '';
  const { leafField, chainField } = tls.client;
  const chain = clientCert === 'chain' && chainField !== '' ? `Client-Cert-Chain: ${chainField}\r\n` : '';
  return `Client-Cert: ${leafField}\r\n${chain}`;
}

function xForwarded(chain: string, host: string, proto: string, port: string): string {
  return (
    `X-Forwarded-For: ${chain}\r\n${host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`}` +
    `X-Forwarded-Proto: ${proto}\r\n${port === '' ? '' : `X-Forwarded-Port: ${port}\r\n`}`
  );
}

function ownLines(x: Exchange): string {
  const { connection, authority, identity } = x;
  const scheme = schemeOf(connection);
  let lines = '';
  if (sendsForwarded(identity))
    lines += `Forwarded: for=${forwardedNode(connection.clientAddress)}${hostAndProto(authority, scheme)}\r\n`;
  const port = identity.port ? portOf(authority, String(connection.localPort || 80)) : '';
  if (sendsXForwarded(identity)) lines += xForwarded(addressOf(connection), authority, scheme, port);
  return lines + clientCertLines(x);
}

/**
 * Behind a trusted proxy, the chain continues with this hop. Host and scheme appear once in either form, so that
 * backends that read the first element and backends that read the last get the same result.
 */
function claimedLines(x: Exchange, claims: Claims): string {
  const { connection, authority, identity } = x;
  const scheme = schemeOf(connection);
  const host = claims.host === '' ? authority : claims.host;
  const proto = claims.proto === '' ? scheme : claims.proto;
  let lines = '';
  if (sendsForwarded(identity)) {
    const { forwarded } = claims;
    const own = `for=${forwardedNode(connection.clientAddress)}`;
    const said = claims.forwarded !== '';
    const rest = hostAndProto(said && claims.host !== '' ? '' : host, said && claims.proto !== '' ? '' : proto);
    lines += `Forwarded: ${said ? `${forwarded}, ` : ''}${own}${rest}\r\n`;
  }
  if (sendsXForwarded(identity)) {
    const chain = `${claims.chain === '' ? '' : `${claims.chain}, `}${addressOf(connection)}`;
    const usual = claims.proto === '' ? String(connection.localPort || 80) : proto === 'https' ? '443' : '80';
    const port = claims.port !== '' || !identity.port ? claims.port : portOf(host, usual);
    lines += xForwarded(chain, host, proto, port);
  }
  return lines + clientCertLines(x);
}

function portOf(authority: string, usual: string): string {
  const port = parseAuthority(authority)?.port ?? -1;
  return port < 0 ? usual : String(port);
}
