/**
 * Checks what code that the gateway does not know has written into a message. Hot where used.
 *
 * A line break in a field value would begin another field or message (RFC 9110 §5.5), and a framing field would end the
 * message elsewhere (RFC 9112 §6.3). The gateway's own policies take such values from the config, which has been checked.
 */
import { isOurs } from '../kit/own-fields.ts';
import type { Exchange } from './exchange.ts';
import type { FieldList, FieldPair } from './field-list.ts';
import { Fields } from './fields.ts';
import { CONTENT_LENGTH } from './known.ts';
import { LocalReply } from './local-reply.ts';
import { type ResponseHead, UNKNOWN_LENGTH } from './message.ts';

/** `name: value` and CRLF (RFC 9110 §5.1, §5.5), in Latin-1. */
const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)\r\n$/;
/** A token (RFC 9110 §5.6.2): a method, or the name of a field. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The parts of an origin-form target (RFC 9112 §3.2.1), or `*`. */
const PATH = /^(?:\/[!"$-;=@-_a-z|~\x80-\xff]*|\*)$/;
const QUERY = /^(?:\?[!"$-;=?@-_a-z|~\x80-\xff]*)?$/;
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Statuses without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

const FIXED = ['method', 'target', 'authority', 'host', 'fields'] as const;
const TEXTS = ['path', 'routedPath', 'receivedPath', 'query', 'clientAddress', 'route', 'endpoint', 'error'] as const;

const NO_PAIRS = 'the fields are no list of names and values';
const NO_LENGTH = 'the length of the body is no length';
const UNFILTERED = 'the length changes, and no filter changes the body';

/** What the gateway itself needs of an exchange, before a hook of that code runs. The types hold for TypeScript only. */
export class ExchangeBefore {
  readonly #x: Exchange;
  readonly #fixed: Pick<Exchange, 'method' | 'target' | 'authority' | 'host' | 'fields'>;
  readonly #texts: Pick<Exchange, (typeof TEXTS)[number]>;

  constructor(x: Exchange) {
    const { method, target, authority, host, fields } = x;
    const { path, routedPath, receivedPath, query, clientAddress, route, endpoint, error } = x;
    this.#x = x;
    this.#fixed = { method, target, authority, host, fields };
    this.#texts = { path, routedPath, receivedPath, query, clientAddress, route, endpoint, error };
  }

  /** Undoes what no hook may do. Returns the problem with it; '' if there is none. `response`: the head that x has. */
  restore(response: ResponseHead | null): string {
    const x = this.#x;
    if (x.response !== response) {
      x.response = response;
      return 'no hook may replace response';
    }
    const fixed = this.#fixed;
    for (const name of FIXED)
      if (x[name] !== fixed[name]) {
        Object.assign(x, fixed);
        return `no hook may replace ${name}`;
      }
    for (const name of TEXTS)
      if (typeof x[name] !== 'string') {
        x[name] = this.#texts[name];
        return `${name} is a text`;
      }
    return '';
  }
}

/** What a request says before a hook of that code runs. */
export class RequestBefore {
  readonly #x: Exchange;
  readonly #added: readonly string[];
  readonly #path: string;
  readonly #receivedPath: string;
  readonly #query: string;
  readonly #length: number;

  constructor(x: Exchange) {
    this.#x = x;
    this.#added = x.fields.added;
    this.#path = x.path;
    this.#receivedPath = x.receivedPath;
    this.#query = x.query;
    this.#length = x.bodyLength;
  }

  /**
   * Returns the problem with the edits since; '' if there is none. Brings the framing in step with the length.
   * `filtered`: a filter changes the body.
   */
  check(filtered: boolean): string {
    const { fields, path, receivedPath, query, bodyLength } = this.#x;
    if (path !== this.#path && !PATH.test(path)) return 'the path is no path';
    // '': the path is sent in its place.
    if (receivedPath !== this.#receivedPath && receivedPath !== '' && !PATH.test(receivedPath))
      return 'the received path is no path';
    if (query !== this.#query && !QUERY.test(query)) return 'the query is no query';
    const problem = problemOfLines(fields, this.#added);
    if (problem !== '' || bodyLength === this.#length) return problem;
    if (!isLength(bodyLength)) return NO_LENGTH;
    if (!filtered || this.#length === 0) return UNFILTERED;
    fields.removeKnown(CONTENT_LENGTH);
    if (bodyLength > 0) fields.add('Content-Length', String(bodyLength));
    return '';
  }
}

/** What a response says before a hook of that code runs. */
export class ResponseBefore {
  readonly #head: ResponseHead;
  readonly #method: string;
  readonly #added: readonly string[];
  readonly #status: number;
  readonly #reason: string;
  readonly #length: number;

  constructor(head: ResponseHead, method: string) {
    this.#head = head;
    this.#method = method;
    this.#added = head.fields.added;
    this.#status = head.status;
    this.#reason = head.reason;
    this.#length = head.length;
  }

  /**
   * Returns the problem with the edits since; '' if there is none. Brings the framing in step with the length.
   * `filtered`: a filter changes the body.
   */
  check(filtered: boolean): string {
    const { fields, status, reason, length } = this.#head;
    const isHead = this.#method === 'HEAD';
    if (status !== this.#status) {
      if (!isFinal(status)) return 'the status is none of a final response';
      // RFC 9112 §6.3: the client would take the content for the next response.
      if (EMPTY.has(status) && this.#length !== 0 && !isHead)
        return `a response with content cannot become a ${status}`;
    }
    if (reason !== this.#reason && !REASON.test(reason)) return 'the reason is no text of one line';
    const problem = problemOfLines(fields, this.#added);
    if (problem !== '') return problem;
    if (length !== this.#length) {
      if (!isLength(length)) return NO_LENGTH;
      if (!filtered && !isHead) return UNFILTERED;
    }
    // The Content-Length of a 304 is that of another response.
    const stale = length !== this.#length || (status !== this.#status && !isHead);
    if (stale || fields.get('content-length') === undefined) fields.removeKnown(CONTENT_LENGTH);
    return '';
  }
}

/** Returns the problem with a request that such code wants to send; '' if there is none. */
export function problemOfRequest(method: string, path: string, query: string, fields: readonly FieldPair[]): string {
  if (!TOKEN.test(method) || method === 'CONNECT') return `${JSON.stringify(method)} is no method for it`;
  if (!path.startsWith('/') || !PATH.test(path)) return 'the path is no path';
  if (!QUERY.test(query)) return 'the query is no query';
  return problemOfPairs(fields);
}

/** Returns the problem with the trailers of a body that such code passes on; '' if there is none. */
export function problemOfTrailers(trailers: unknown): string {
  if (trailers === null || trailers === undefined) return '';
  return trailers instanceof Fields ? problemOfLines(trailers, []) : 'the trailers are neither null nor fields';
}

/** A reply as a plain object, or the LocalReply of another copy of prozy. The type holds for TypeScript only. */
export interface PlainReply {
  readonly status: number;
  readonly reason?: string;
  readonly fields?: readonly FieldPair[] | Pick<FieldList, 'pairs'>;
  /** Text is sent as UTF-8. */
  readonly body?: string | Uint8Array;
  /** Precedes `body`. */
  readonly bodyBytes?: Uint8Array;
}

/** The fields of such a reply. */
function pairsOf(fields: PlainReply['fields'] = []): readonly FieldPair[] {
  return 'pairs' in fields ? fields.pairs : fields;
}

/** The reply that code may have written as a plain object. `problemOfReply` has found nothing in it. */
export function localReplyOf(reply: LocalReply | PlainReply): LocalReply {
  if (reply instanceof LocalReply) return reply;
  const { status, reason, fields, body = '', bodyBytes = body } = reply;
  const made = new LocalReply(status, pairsOf(fields), bodyBytes);
  return reason === undefined ? made : made.under(status, reason, made.fields);
}

/** Returns the problem with a reply; '' if there is none. */
export function problemOfReply({ status, reason = '', fields = [], body = '' }: LocalReply | PlainReply): string {
  if (!isFinal(status)) return 'the status is none of a final response';
  if (typeof reason !== 'string' || !REASON.test(reason)) return 'the reason is no text of one line';
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return 'the body is neither text nor bytes';
  const pairs = typeof fields === 'object' && fields !== null ? pairsOf(fields) : null;
  return Array.isArray(pairs) ? problemOfPairs(pairs) : NO_PAIRS;
}

function problemOfPairs(pairs: readonly FieldPair[]): string {
  return pairs.map(problemOfPair).find((problem) => problem !== '') ?? '';
}

function problemOfPair(pair: unknown): string {
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((text) => typeof text === 'string')) return NO_PAIRS;
  const [name, value] = pair as [string, string];
  return TOKEN.test(name) && VALUE.test(value) ? problemOfName(name) : noField(`${name}: ${value}`);
}

function problemOfLines(fields: Fields, before: readonly string[]): string {
  const { added } = fields;
  for (const line of added) {
    if (before.includes(line)) continue;
    const problem = problemOfLine(line);
    if (problem !== '') return problem;
  }
  return '';
}

function problemOfLine(line: string): string {
  if (line === '') return '';
  const name = LINE.exec(line)?.[1];
  return name === undefined ? noField(line) : problemOfName(name);
}

function noField(text: string): string {
  return `${JSON.stringify(text.slice(0, 80))} is no field`;
}

function problemOfName(name: string): string {
  return isOurs(name) ? `${name} is the gateway's own to write` : '';
}

function isFinal(status: number): boolean {
  return Number.isInteger(status) && status >= 200 && status <= 599;
}

function isLength(length: number): boolean {
  return length === UNKNOWN_LENGTH || (Number.isSafeInteger(length) && length >= 0);
}
