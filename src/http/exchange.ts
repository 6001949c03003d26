/**
 * One request and its response: the messages, their parties and the connection. Hot.
 *
 * A server codec creates an Exchange when a request head is complete. Policies read and edit it;
 * proxy/request-handler.ts tracks its progress. One request uses it, and then the garbage collector frees it; only its
 * Fields are reused.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Connection } from '../net/connection.ts';
import type { IdentityPlan } from '../plan/types/identity.ts';
import type { Fields } from './fields.ts';
import type { Claims } from './claims.ts';
import { DEFAULT_IDENTITY } from './identity.ts';
import type { RequestHead, ResponseHead } from './message.ts';

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
  /** Names and words in turns: what policies say of the exchange, for the access log and the explain field. */
  notes: string[] | null = null;
  /** Code of the error that ended the exchange or shaped its response, or ''. */
  error = '';
  /** Details of that error for readers of the log, or ''. */
  errorDetail = '';
  /** Monotonic ms. */
  readonly startedAt: number;
  /** Monotonic ms when the upstream's response head arrived, or 0. */
  upstreamAt = 0;
  bytesIn = 0;
  bytesOut = 0;
  generation = 0;
  /** As the hooks of modules see it (guarded-exchange.ts); null: none has seen it. */
  guarded: object | null = null;

  /** Says something of the exchange under that name, in place of what was said before. */
  note(name: string, word: string): void {
    const { notes } = this;
    if (notes === null) {
      this.notes = [name, word];
      return;
    }
    let at = 0;
    while (at < notes.length && notes[at] !== name) at += 2;
    notes[at] = name;
    notes[at + 1] = word;
  }

  /** The error has ended the exchange or shapes its response. */
  failed({ code, detail }: GatewayError): void {
    this.error = code;
    this.errorDetail = detail;
  }

  /** What was said under that name, or ''. */
  noted(name: string): string {
    const { notes } = this;
    if (notes !== null) for (let at = 0; at < notes.length; at += 2) if (notes[at] === name) return notes[at + 1]!;
    return '';
  }

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
