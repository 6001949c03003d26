/**
 * Checks what code that the gateway does not know has written into a message. Hot where used.
 *
 * A line break in a field value would begin another field or message (RFC 9110 §5.5), and a framing field would end the
 * message elsewhere (RFC 9112 §6.3). The gateway's own policies take such values from the config, which has been checked.
 */
import { isOurs } from '../kit/own-fields.ts';
import type { Exchange } from './exchange.ts';
import type { FieldList, FieldPair } from './field-list.ts';
import { CONTENT_LENGTH } from './known.ts';
import { LocalReply } from './local-reply.ts';
import { type ResponseHead, UNKNOWN_LENGTH } from './message.ts';

/** A token (RFC 9110 §5.6.2): a method, or the name of a field. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The parts of an origin-form target (RFC 9112 §3.2.1), or `*`. */
const PATH = /^(?:\/[!"$-;=@-_a-z|~\x80-\xff]*|\*)$/;
const QUERY = /^(?:\?[!"$-;=?@-_a-z|~\x80-\xff]*)?$/;
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Statuses without content (RFC 9110 §15.3.5, §15.3.6, §15.4.5). */
const EMPTY: ReadonlySet<number> = new Set([204, 205, 304]);

const NO_PAIRS = 'the fields are no list of names and values';
export const NO_LENGTH = 'the length of the body is no length';
const UNFILTERED = 'the length changes, and no filter changes the body';

/** The framing of a request, before a hook of that code runs. */
export class RequestBefore {
  readonly #x: Exchange;
  readonly #length: number;

  constructor(x: Exchange) {
    this.#x = x;
    this.#length = x.bodyLength;
  }

  /**
   * Returns the problem with the edits since; '' if there is none. Brings the framing in step with the length.
   * `filtered`: a filter changes the body.
   */
  check(filtered: boolean): string {
    const { fields, bodyLength } = this.#x;
    if (bodyLength === this.#length) return '';
    if (!filtered || this.#length === 0) return UNFILTERED;
    fields.removeKnown(CONTENT_LENGTH);
    if (bodyLength > 0) fields.add('Content-Length', String(bodyLength));
    return '';
  }
}

/** The framing of a response, before a hook of that code runs. */
export class ResponseBefore {
  readonly #head: ResponseHead;
  readonly #method: string;
  readonly #status: number;
  readonly #length: number;

  constructor(head: ResponseHead, method: string) {
    this.#head = head;
    this.#method = method;
    this.#status = head.status;
    this.#length = head.length;
  }

  /**
   * Returns the problem with the edits since; '' if there is none. Brings the framing in step with the length.
   * `filtered`: a filter changes the body.
   */
  check(filtered: boolean): string {
    const { fields, status, length } = this.#head;
    const isHead = this.#method === 'HEAD';
    // RFC 9112 §6.3: the client would take the content for the next response.
    if (status !== this.#status && EMPTY.has(status) && this.#length !== 0 && !isHead)
      return `a response with content cannot become a ${status}`;
    if (length !== this.#length && !filtered && !isHead) return UNFILTERED;
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

/** Returns a copy of a reply, or the problem with it: its maker may have frozen its own, or changed a member. */
export function checkedReply(reply: unknown): LocalReply | string {
  if (typeof reply !== 'object' || reply === null) return 'it is no reply';
  // Each member is read once: a getter may return something else the next time.
  const { status, reason, fields = [], body = '', bodyBytes = body } = reply as PlainReply;
  if (!isFinalStatus(status)) return 'the status is none of a final response';
  if (reason !== undefined && !isReason(reason)) return 'the reason is no text of one line';
  if (typeof bodyBytes !== 'string' && !(bodyBytes instanceof Uint8Array)) return 'the body is neither text nor bytes';
  const pairs = checkedPairs(fields);
  if (typeof pairs === 'string') return pairs;
  const made = new LocalReply(status, pairs, bodyBytes);
  return reason === undefined ? made : made.under(status, reason, made.fields);
}

/** Returns a copy of a list of fields, or the problem with it. */
export function checkedPairs(fields: unknown): FieldPair[] | string {
  if (typeof fields !== 'object' || fields === null) return NO_PAIRS;
  const list: unknown = 'pairs' in fields ? fields.pairs : fields;
  if (!Array.isArray(list)) return NO_PAIRS;
  const pairs = list.map((pair: unknown) => (Array.isArray(pair) ? [...(pair as unknown[])] : pair)) as FieldPair[];
  return problemOfPairs(pairs) || pairs;
}

function problemOfPairs(pairs: readonly FieldPair[]): string {
  return pairs.map(problemOfPair).find((problem) => problem !== '') ?? '';
}

function problemOfPair(pair: unknown): string {
  if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((text) => typeof text === 'string')) return NO_PAIRS;
  const [name, value] = pair as [string, string];
  return TOKEN.test(name) && VALUE.test(value) ? problemOfName(name) : noField(name, value);
}

export function noField(name: unknown, value: unknown): string {
  const line = typeof name === 'string' && typeof value === 'string' ? `${name}: ${value}` : 'what is no text';
  return `${JSON.stringify(line.slice(0, 80))} is no field`;
}

function problemOfName(name: string): string {
  return isOurs(name) ? `${name} is the gateway's own to write` : '';
}

export function isFieldName(name: unknown): boolean {
  return typeof name === 'string' && TOKEN.test(name);
}

export function isFieldValue(value: unknown): boolean {
  return typeof value === 'string' && VALUE.test(value);
}

export function isPath(path: string): boolean {
  return PATH.test(path);
}

export function isQuery(query: string): boolean {
  return QUERY.test(query);
}

export function isReason(reason: unknown): boolean {
  return typeof reason === 'string' && REASON.test(reason);
}

export function isFinalStatus(status: unknown): boolean {
  return Number.isInteger(status) && (status as number) >= 200 && (status as number) <= 599;
}

export function isLength(length: unknown): boolean {
  return length === UNKNOWN_LENGTH || (Number.isSafeInteger(length) && (length as number) >= 0);
}
