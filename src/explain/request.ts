/**
 * A hypothetical request, read by the same code that reads real ones. Cold.
 *
 * The default server codec reads it and refuses it for the same reasons as a real request.
 */
import type { Exchange } from '../http/exchange.ts';
import type { WrittenRequest } from '../http/server-codec.ts';
import { SERVER_CODECS } from '../http/server-codecs.ts';
import { UPGRADE } from '../http/known.ts';
import type { HttpLimits } from '../http/server-stream.ts';
import { asciiAuthority } from '../kit/host-name.ts';
import { Connection } from '../net/connection.ts';
import { plainAddress } from '../net/plain-address.ts';
import type { PathProblem, PathRules } from '../http/path.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import { handshake, serverNameFor } from './handshake.ts';

export interface AskedRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** The peer's address. */
  readonly client: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The server name of its TLS handshake; '': none; absent: the host of the URL. */
  readonly serverName?: string;
  /** The client's certificate, followed by those of its issuers, in PEM; absent: the client has none. */
  readonly certificate?: string;
  /** The protocols that the client of a TLS connection offers; absent or empty: the usual ones. */
  readonly alpn?: readonly string[];
}

/**
 * The default client address: from a documentation range (RFC 5737), so that no rule for a real address matches by
 * chance.
 */
export const STRANGER = '192.0.2.1';

export interface UrlParts {
  /** `tls`: a TLS connection, and no request. */
  readonly scheme: 'http' | 'https' | 'tls';
  /** As written, user information and port included. */
  readonly authority: string;
  /** -1: not written. */
  readonly port: number;
  /** Path and query as written: not encoded and not normalized, because the gateway does that. */
  readonly rest: string;
}

/** null: it is not an absolute http, https or tls URL. */
export function splitUrl(url: string): UrlParts | null {
  const match = /^(https?|tls):\/\/([^/?#]+)([^#]*)/i.exec(url);
  if (match === null) return null;
  const [, scheme = '', authority = '', rest = ''] = match;
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return {
    // The expression has matched it.
    scheme: scheme.toLowerCase() as UrlParts['scheme'],
    authority,
    port: port === undefined ? -1 : Number(port),
    rest,
  };
}

export interface ReadRequest {
  readonly x: Exchange;
  /** The protocols that it offers to upgrade to, or ''. */
  readonly offered: string;
}

export interface Refused {
  /** The listener refuses the connection before it reads a request. */
  readonly by: 'request' | 'listener';
  /** null: there is no response. */
  readonly status: number | null;
  readonly why: string;
}

const WHY: Readonly<Record<number, string>> = {
  400: 'its target, its Host or its length is malformed, or contradicts itself',
  414: 'its target is longer than limits.uri_size',
  417: 'it has an unknown expectation',
  431: 'its head is longer than limits.header_size, or has more fields than limits.header_count',
  501: 'its method or transfer coding is unknown',
};

/** In the words of the listener's `paths`. */
const WHY_PATH: Readonly<Record<PathProblem, string>> = {
  '': '',
  malformed_path: 'its path has a backslash, an encoded NUL, or a malformed encoding',
  encoded_slash: 'its path has an encoded slash, and paths.encoded_slash is refuse',
  repeated_slashes: 'its path has repeated slashes, and paths.repeated_slashes is refuse',
  path_parameters: 'its path has a parameter (";"), and paths.parameters is refuse',
  hidden_dot_segment: 'its path has a dot segment that only some backends see, such as "/..;/" or "/..%2F"',
  slash_in_parameter: 'its path has an encoded slash in a parameter, which backends read in different ways',
  control_character: 'its path has an encoded control character, and paths.control_characters is refuse',
  raw_utf8: 'its target has characters that are not ASCII: percent-encode them, or set paths.raw_utf8 to encode',
};

const MALFORMED: Refused = { by: 'request', status: 400, why: 'its first line or one of its fields is malformed' };

/** The listener that receives the request. */
export interface Place {
  readonly name: string;
  readonly address: AddressPlan;
  readonly paths: PathRules;
  /** Connections are encrypted; plain ones are refused. */
  readonly secure: boolean;
  /** null: every connection may carry every request. */
  readonly tlsPolicies: ServerPolicies | null;
}

const NEEDS_TLS: Refused = { by: 'listener', status: 400, why: 'the listener speaks TLS: use https://' };

/** `now`: Unix ms. */
/** The server name that its TLS handshake sends; '': none. */
export function serverNameOf({ serverName, url }: AskedRequest): string {
  return serverName ?? serverNameFor(asciiAuthority(splitUrl(url)?.authority ?? ''));
}

export function readRequest(
  asked: AskedRequest,
  limits: HttpLimits,
  { name, address, paths, secure, tlsPolicies }: Place,
  now: number,
): ReadRequest | Refused {
  const request = writtenRequest(asked);
  if (request === null) return MALFORMED;
  const parts = splitUrl(asked.url)!;
  if (secure && parts.scheme !== 'https') return NEEDS_TLS;
  const addresses = {
    // A Unix socket's peer has no address.
    remoteAddress: address.path === null ? plainAddress(asked.client) : plainAddress(''),
    remotePort: 0,
    localAddress: address.host,
    localPort: address.port,
  };
  const connection = new Connection(addresses, name, secure);
  if (tlsPolicies !== null) {
    const serverName = serverNameOf(asked);
    const session = handshake(tlsPolicies, serverName, asked.certificate ?? '', now);
    if ('why' in session) return { by: 'listener', ...session };
    connection.tls = session;
  }
  const read = SERVER_CODECS.default.read(request, connection, limits, paths);
  if ('x' in read) return { x: read.x, offered: read.upgrade ? (read.x.fields.known(UPGRADE) ?? '') : '' };
  const { status, problem } = read;
  if (problem === 'syntax') return MALFORMED;
  return problem === '' ? refusal(status) : { by: 'request', status, why: WHY_PATH[problem] };
}

function refusal(status: number): Refused {
  return { by: 'request', status, why: WHY[status] ?? 'it is not a request that the gateway takes' };
}

/** null: its URL is none. */
function writtenRequest({ method, url, headers }: AskedRequest): WrittenRequest | null {
  const parts = splitUrl(url);
  if (parts === null) return null;
  const authority = asciiAuthority(parts.authority);
  const own = headers.some(([name]) => name.toLowerCase() === 'host');
  const fields = own ? headers : [['Host', authority] as const, ...headers];
  return { method, target: targetOf(method, authority, parts.rest), fields };
}

/** The target in the form that a client sends (RFC 9112 §3.2). */
function targetOf(method: string, authority: string, rest: string): string {
  if (method === 'CONNECT') return authority;
  if (rest.startsWith('/')) return rest;
  return rest === '' && method === 'OPTIONS' ? '*' : `/${rest}`;
}
