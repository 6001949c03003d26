/**
 * One stored response, with everything computed in advance, so that a hit computes nothing. Hot.
 *
 * It is immutable once stored. Its strings are detached: none keeps the original message alive. Times are monotonic ms
 * unless they are called dates.
 */
import { FieldList, type ReplyContent } from '../../http/field-list.ts';
import type { Fields } from '../../http/fields.ts';
import { reasonPhrase } from '../../http/status.ts';
import { CachedReply, toldLength } from '../../http/cached-reply.ts';
import { detachString } from '../../kit/detach-string.ts';
import { release } from '../../kit/release.ts';
import { agedFields, ageFields, hitFields } from '../rules/age-header.ts';
import { variantKey } from '../rules/vary.ts';

/** A longer body is kept as bytes, which are sent without a copy. */
const LONGEST_TEXT = 16 * 1024;

/** The largest body that is sent in one write; a larger one is sent at the client's pace. */
export const LARGEST_REPLY = 256 * 1024;

let nextPlace = 0;

/** Everything in a stored response but its body. */
export interface StoredHead {
  readonly scope: string;
  /** Names of the request fields in its Vary, in lower case, and the key of their values. */
  readonly varyNames: readonly string[];
  readonly variant: string;
  readonly status: number;
  readonly reason: string;
  /** Without Age, Content-Length and fields for one connection. */
  readonly fields: FieldList;
  readonly etag: string | undefined;
  /** The Last-Modified as received. */
  readonly modified: string | undefined;
  /** Dates in ms; NaN: none. */
  readonly lastModified: number;
  readonly date: number;
  readonly bornAt: number;
  /** Seconds. */
  readonly lifetime: number;
  /** It was stored only for validation, and is served stale only if its own directives permit that. */
  readonly neverFresh: boolean;
  /** It may answer requests with Authorization (RFC 9111 §3.5). */
  readonly forAuthorized: boolean;
  readonly noCache: boolean;
  readonly mustRevalidate: boolean;
  /** Seconds; -1: absent. */
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  /** The tags that it can be purged by. */
  readonly tags: readonly string[];
}

/** The range of the representation in a partial response (RFC 9110 §14.4). */
export interface Part {
  readonly first: number;
  readonly last: number;
  /** Length of the complete representation. */
  readonly complete: number;
  /** It had as many bytes as announced, and may be combined with others. */
  readonly sound: boolean;
}

/**
 * Fields that a hit reads are in the response itself: with very many responses, each further object means a further
 * wait for memory.
 */
export class StoredResponse {
  readonly head: StoredHead;
  readonly #scope: string;
  readonly #varies: boolean;
  readonly #status: number;
  readonly #reason: string;
  readonly #lifetime: number;
  /** The fields, and a small body. */
  readonly #content: ReplyContent;
  /** The bytes of a larger body. */
  readonly bytes: Buffer | null;
  /** No other object references its bytes. */
  #own = false;
  /** A request has found it, and may still reference its bytes. */
  #seen = false;
  readonly length: number;
  /** null: the body is complete. */
  readonly part: Part | null;
  /** It is the response to a HEAD, and can only answer HEAD requests. */
  readonly headOnly: boolean;
  readonly freshUntil: number;
  /** Until then it answers any request without special fields, without further checks. */
  readonly fastPathUntil: number;
  /** A nearly unique number (recent-replies.ts). */
  readonly place: number;
  readonly #statusHeader: boolean;
  /** It contains the origin's Cache-Status, which ours must follow (RFC 9211 §2). */
  readonly #statusAbove: boolean;

  /** `body`: a small one may be a string. `length`: for a HEAD, the announced Content-Length; -1: unknown. */
  constructor(
    head: StoredHead,
    body: Buffer | string | null,
    part: Part | null,
    length: number,
    statusHeader: boolean,
  ) {
    this.#scope = head.scope;
    this.#varies = head.varyNames.length > 0;
    this.#status = head.status;
    this.#reason = head.reason;
    this.#lifetime = head.lifetime;
    this.part = part;
    this.headOnly = body === null;
    const bytes = typeof body === 'string' ? null : body;
    const small = bytes === null || bytes.length <= LONGEST_TEXT;
    const text = typeof body === 'string' ? body : small ? (bytes?.toString('latin1') ?? '') : '';
    this.bytes = small ? null : bytes;
    this.length = body?.length ?? length;
    this.#content = head.fields.withBody(text, toldLength(head.status, this.length)).kept();
    // They share the same memory.
    this.head = { ...head, fields: this.#content };
    this.freshUntil = head.bornAt + head.lifetime * 1000;
    const plain = !head.noCache && part === null && !this.headOnly && this.length <= LARGEST_REPLY;
    this.fastPathUntil = plain ? this.freshUntil : Number.NEGATIVE_INFINITY;
    this.place = nextPlace++ & 0xffff;
    this.#statusHeader = statusHeader;
    this.#statusAbove = statusHeader && head.fields.get('cache-status') !== undefined;
  }

  /** No other object references the bytes that it was made with. */
  own(): void {
    this.#own = true;
  }

  /** A request has found it, and may keep a reference to its bytes. */
  seen(): void {
    this.#seen = true;
  }

  /**
   * It is no longer stored: if no request ever found it, its bytes are freed at once, without the garbage collector.
   */
  forget(): void {
    if (this.#own && !this.#seen && this.bytes !== null) release(this.bytes);
  }

  /** The same response with another head, as updated by a 304. */
  under(head: StoredHead): StoredResponse {
    const body = this.headOnly ? null : (this.bytes ?? this.#content.body);
    return new StoredResponse(head, body, this.part, this.length, this.#statusHeader);
  }

  /** The same response, but stale from now on if it was fresh. The time since then decides on its further use. */
  staleAt(now: number): StoredResponse {
    const lifetime = Math.max(0, Math.floor(now - this.head.bornAt) - 1) / 1000;
    return lifetime >= this.head.lifetime ? this : this.under({ ...this.head, lifetime });
  }

  /** The body's bytes; null: it is the response to a HEAD. */
  body(): Buffer | null {
    if (this.headOnly) return null;
    return this.bytes ?? Buffer.from(this.#content.body, 'latin1');
  }

  /** Does it match the request (RFC 9111 §4.1)? */
  isFor(scope: string, request: Fields): boolean {
    if (this.#scope !== scope) return false;
    return !this.#varies || this.head.variant === variantKey(this.head.varyNames, request);
  }

  /** Does it match the request, and is it complete? */
  isWholeFor(scope: string, request: Fields): boolean {
    return this.part === null && !this.headOnly && this.isFor(scope, request);
  }

  /** Seconds since the origin generated it or last validated it (RFC 9111 §4.2.3). */
  ageAt(now: number): number {
    return Math.max(0, Math.floor((now - this.freshUntil) / 1000 + this.#lifetime));
  }

  /** The complete reply at that age (s). `told`: its Cache-Status; '': that of a hit. */
  reply(age: number, told = ''): CachedReply {
    const aged = this.agedFields(age, told);
    const content = this.#content;
    if (!this.#statusAbove) return new CachedReply(this.#status, this.#reason, aged, content, this.bytes, this.length);
    const fields = content.concat(aged);
    return CachedReply.of(this.#status, this.#reason, fields, content.body, this.bytes, this.length);
  }

  /** The fields to add at that age. `told`: its Cache-Status; '': that of a hit. */
  agedFields(age: number, told = ''): FieldList {
    if (!this.#statusHeader) return ageFields(age);
    return told === '' ? hitFields(age, this.#lifetime - age) : agedFields(age, told);
  }
}

/** The head with detached strings, for as long as it is stored. A stored response keeps the fields itself. */
export function kept(head: StoredHead): StoredHead {
  const own = (text: string | undefined): string | undefined => (text === undefined ? undefined : detachString(text));
  return {
    ...head,
    // A scope that is a route's name alone shares the plan's string.
    scope: head.scope.includes('\n') ? detachString(head.scope) : head.scope,
    variant: detachString(head.variant),
    reason: head.reason === reasonPhrase(head.status) ? reasonPhrase(head.status) : detachString(head.reason),
    etag: own(head.etag),
    modified: own(head.modified),
    tags: head.tags.map(detachString),
  };
}
