/**
 * One request and its response: what is said, by whom, over which connection. Hot.
 *
 * Made by a server codec when a request head is complete. Policies read and edit it; how far it has come is kept by
 * proxy/request-handler.ts. It is used by one request and then left to the collector; only its Fields are taken back.
 */
import type { Connection } from '../net/connection.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Fields } from './fields.ts';
import type { Claims } from './claims.ts';
import { DEFAULT_IDENTITY } from './identity.ts';
import type { BodySink } from './message.ts';

/** What a cache made of a request. */
export type CacheResult =
  /** No cache was asked. */
  | ''
  /** Answered with what is stored, which is fresh. */
  | 'hit'
  /** Answered with what is stored, which is stale but may be given at once. */
  | 'stale'
  /** Answered with what is stored, which is stale, because the origin could not answer. */
  | 'stale_on_error'
  /** Answered with what is stored, which the origin has just found to be still good. */
  | 'revalidated'
  /** Answered along with another request for the same thing. */
  | 'collapsed'
  /** Sent on: there was nothing stored for it. */
  | 'miss'
  /** Sent on: what was stored was too old for it, and has been replaced or given up. */
  | 'expired'
  /** Sent on, and not the cache's to answer: a rule of the config says so, or it has a body, a condition for the origin or an upgrade. */
  | 'bypass'
  /** Sent on: neither GET nor HEAD. */
  | 'method'
  /** Refused: it wanted what is stored and nothing else, and there was nothing. */
  | 'only_if_cached';

/** A prefix of the path, and what the upstream gets in its place; '' for "/". */
export interface Rewritten {
  readonly from: string;
  readonly to: string;
}

export class Exchange {
  readonly connection: Connection;
  /** Case-sensitive (RFC 9110 §9.1). */
  readonly method: string;
  /** What the request was for, as received: origin, absolute, authority or asterisk form (RFC 9112 §3.2). */
  readonly target: string;
  /** The Host, or the authority of an absolute target, as received. */
  readonly authority: string;
  /** The authority's host in lower case, without port; IPv6 with its brackets. */
  readonly host: string;
  /** The path that is sent on: dot segments resolved, unreserved characters decoded (RFC 3986 §6.2.2). */
  path: string;
  /** The same path as rules judge it: as a backend reads it that decodes it (path.ts). */
  routedPath: string;
  /** The path as it came, sent on in place of `path` if no policy rewrites it; '': none is. */
  receivedPath = '';
  /** From the question mark on, or ''. */
  query: string;
  /** HTTP/1.x: x. */
  readonly minor: number;
  /** The request's fields; edits by request and forward hooks are what the upstream gets. */
  readonly fields: Fields;
  /** Bytes of the request body: 0 none, -1 chunked. */
  readonly bodyLength: number;

  /** The address that rules judge: the peer's, or what trusted proxies say (identity.ts). */
  clientAddress: string;
  /** What its listener tells upstreams of it. */
  identity: IdentityPlan = DEFAULT_IDENTITY;
  /** What trusted proxies say of it; null: nothing, or it came from elsewhere. */
  claims: Claims | null = null;
  /** What policies have made of the path, in their order; null: nothing. */
  rewritten: readonly Rewritten[] | null = null;
  /** The identity fields are among `fields` already, so that a policy could edit them. */
  identityEdited = false;
  /** A policy has said what X-Forwarded-Prefix is to be. */
  prefixEdited = false;
  /** Set once routed. */
  route = '';
  /** Address of the endpoint that was tried last, or ''. */
  endpoint = '';
  /** The response's status once known, else 0. */
  status = 0;
  /** The response's fields once known; edits by response hooks are what the client gets. */
  responseFields: Fields | null = null;
  /** What a cache made of it. */
  cache: CacheResult = '';
  /** Takes the content of the response besides the client; it can't hold it up. Set by a response hook. */
  tap: BodySink | null = null;
  /** Code of the error that ended it or shaped its response, or ''. */
  error = '';
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Monotonic ms when the upstream's head came, or 0. */
  upstreamAt = 0;
  bytesIn = 0;
  bytesOut = 0;
  generation = 0;

  constructor(
    connection: Connection,
    method: string,
    target: string,
    authority: string,
    host: string,
    path: string,
    query: string,
    minor: number,
    fields: Fields,
    bodyLength: number,
    startedAt: number,
  ) {
    this.connection = connection;
    this.clientAddress = connection.clientAddress;
    this.method = method;
    this.target = target;
    this.authority = authority;
    this.host = host;
    this.path = path;
    this.routedPath = path;
    this.query = query;
    this.minor = minor;
    this.fields = fields;
    this.bodyLength = bodyLength;
    this.startedAt = startedAt;
  }
}
