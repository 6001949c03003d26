/**
 * One request and its response: the messages, their parties and the connection. Hot.
 *
 * A server codec creates an Exchange when a request head is complete. Policies read and edit it;
 * proxy/request-handler.ts tracks its progress. One request uses it, and then the garbage collector frees it; only its
 * Fields are reused.
 */
import type { Connection } from '../net/connection.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Fields } from './fields.ts';
import type { Claims } from './claims.ts';
import { DEFAULT_IDENTITY } from './identity.ts';
import type { BodySink, RequestHead, ResponseHead } from './message.ts';

/** The result of a request's cache lookup. */
export type CacheResult =
  /** The request did not use a cache. */
  | ''
  /** The stored response was fresh and was sent. */
  | 'hit'
  /** The stored response was stale, and the rules allowed sending it at once. */
  | 'stale'
  /** The stored response was stale and was sent because the origin could not answer. */
  | 'stale_on_error'
  /** The origin validated the stored response, which was then sent. */
  | 'revalidated'
  /** The request shared the response to another request with the same key. */
  | 'collapsed'
  /** Forwarded: the cache held no response for it. */
  | 'miss'
  /** Forwarded: the stored response was too old for this request, and has been replaced or dropped. */
  | 'expired'
  /** Forwarded without a lookup, by a rule or because of a body, an upgrade or a condition for the origin. */
  | 'bypass'
  /** Forwarded: the method is neither GET nor HEAD. */
  | 'method'
  /** Refused: the request asked for a stored response only, and the cache held none. */
  | 'only_if_cached';

/** A prefix of the path and its replacement for the upstream; '' means "/". */
export interface Rewritten {
  readonly from: string;
  readonly to: string;
}

/** The parts of a request's target. */
export type TargetParts = Pick<Exchange, 'authority' | 'host' | 'path' | 'routedPath' | 'receivedPath' | 'query'>;

export class Exchange implements RequestHead {
  readonly connection: Connection;
  /** Case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** The request target as received: origin, absolute, authority or asterisk form (RFC 9112 §3.2). */
  readonly target: string;
  /** The Host, or the authority of an absolute target, as `Authority.text` (authority.ts). For CONNECT, as received. */
  readonly authority: string;
  /** The authority's host in lower case, without port; IPv6 with its brackets. */
  readonly host: string;
  /** The path for the upstream: dot segments resolved, unreserved characters decoded (RFC 3986 §6.2.2). */
  path: string;
  /** The same path for rules: the form that a backend sees after decoding it (path.ts). */
  routedPath: string;
  /** The path as received, if the upstream gets it; a rewrite by a policy overrides it. '': `path` is sent. */
  receivedPath: string;
  /** The query with its question mark, or ''. */
  query: string;
  /** The client's protocol version, as in message.ts. */
  readonly version: number;
  /** The request's fields. The upstream gets the edits of request and forward hooks. */
  readonly fields: Fields;
  /** Length of the request body in bytes: 0 for none, or UNKNOWN_LENGTH. A filter of the body may change it. */
  bodyLength: number;

  /** The address that rules match: the peer's, or the one that trusted proxies report (identity.ts). */
  clientAddress: string;
  /** The identity settings of its listener. */
  identity: IdentityPlan = DEFAULT_IDENTITY;
  /** What trusted proxies say about the request; null if they say nothing or the peer is not trusted. */
  claims: Claims | null = null;
  /** The policies' rewrites of the path, in order; null for none. */
  rewritten: readonly Rewritten[] | null = null;
  /** `fields` already contains the identity fields, so that a policy could edit them. */
  identityEdited = false;
  /** A policy has set or removed X-Forwarded-Prefix. */
  prefixEdited = false;
  /** The route's name; '' before routing. */
  route = '';
  /** Address of the endpoint that was tried last, or ''. */
  endpoint = '';
  /** The response's status once known, else 0. */
  status = 0;
  /** The response's head once known. The client gets the edits of response hooks. */
  response: ResponseHead | null = null;
  /** The result of the cache lookup. */
  cache: CacheResult = '';
  /** Receives a copy of the response's content and can't hold the response up. A response hook sets it. */
  tap: BodySink | null = null;
  /** Code of the error that ended the exchange or shaped its response, or ''. */
  error = '';
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Monotonic ms when the upstream's response head arrived, or 0. */
  upstreamAt = 0;
  bytesIn = 0;
  bytesOut = 0;
  generation = 0;

  get scheme(): 'http' | 'https' {
    return this.connection.secure ? 'https' : 'http';
  }

  /** `target` as received; `parts` of it, which are copied. `startedAt`: monotonic ms. */
  constructor(
    connection: Connection,
    method: string,
    target: string,
    parts: TargetParts,
    version: number,
    fields: Fields,
    bodyLength: number,
    startedAt: number,
  ) {
    this.connection = connection;
    this.clientAddress = connection.clientAddress;
    this.method = method;
    this.target = target;
    this.authority = parts.authority;
    this.host = parts.host;
    this.path = parts.path;
    this.routedPath = parts.routedPath;
    this.receivedPath = parts.receivedPath;
    this.query = parts.query;
    this.version = version;
    this.fields = fields;
    this.bodyLength = bodyLength;
    this.startedAt = startedAt;
  }
}
