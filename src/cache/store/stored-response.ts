/**
 * One stored response: what was worked out when it came, so that a hit has nothing left to work out. Hot.
 *
 * Never changed once it is stored. Its texts are its own: none keeps alive the message that it came with. Instants are
 * monotonic ms unless they are said to be dates.
 */
import type { Fields } from '../../http/fields.ts';
import { reasonPhrase } from '../../http/status.ts';
import { CachedReply } from '../../http/cached-reply.ts';
import { detachString } from '../../kit/detach-string.ts';
import { release } from '../../kit/release.ts';
import { agedLines, hitLines } from '../rules/age-header.ts';
import { variantKey } from '../rules/vary.ts';

/** The origin's own Cache-Status: ours comes behind it (RFC 9211 §2). */
const CACHE_STATUS = /^cache-status:/im;

/** A body that is longer is kept as bytes, which are not copied when they are sent. */
const LONGEST_TEXT = 16 * 1024;

/** Bytes of the largest body that leaves in one write; what is larger leaves as fast as its client takes it. */
export const LARGEST_REPLY = 256 * 1024;

let nextPlace = 0;

/** What of a response may be had without its body. */
export interface StoredHead {
  readonly scope: string;
  /** Names of the request fields that its Vary names, in lower case, and what they were. */
  readonly varyNames: readonly string[];
  readonly variant: string;
  readonly status: number;
  readonly reason: string;
  /** Field lines with their CRLFs: no Age, no Content-Length, nothing of one connection. */
  readonly lines: string;
  readonly etag: string | undefined;
  /** The Last-Modified as it is written. */
  readonly modified: string | undefined;
  /** Dates in ms; NaN: none. */
  readonly lastModified: number;
  readonly date: number;
  readonly bornAt: number;
  /** Seconds. */
  readonly lifetime: number;
  /** It was stored only to be validated, and is given stale only by its own permission. */
  readonly neverFresh: boolean;
  /** It may answer requests with Authorization (RFC 9111 §3.5). */
  readonly forAuthorized: boolean;
  readonly noCache: boolean;
  readonly mustRevalidate: boolean;
  /** Seconds; -1: not said. */
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  /** What it can be purged by. */
  readonly tags: readonly string[];
}

/** Which bytes of the whole a partial response has (RFC 9110 §14.4). */
export interface Part {
  readonly first: number;
  readonly last: number;
  /** Bytes of the whole. */
  readonly complete: number;
  /** It had as many bytes as it said, and may be put together with others. */
  readonly sound: boolean;
}

/**
 * What a hit reads stands in the response itself: among very many, each further object is a further wait for memory.
 */
export class StoredResponse {
  readonly head: StoredHead;
  readonly #scope: string;
  readonly #varies: boolean;
  readonly #status: number;
  readonly #reason: string;
  readonly #lifetime: number;
  /** What a whole reply consists of besides what is of the moment: see http/cached-reply.ts. Small bodies are in it. */
  readonly #rest: string;
  readonly #bodyAt: number;
  /** Larger bodies. */
  readonly bytes: Buffer | null;
  /** Its bytes are nobody else's. */
  #own = false;
  /** Somebody has found it, and may have its bytes still. */
  #seen = false;
  readonly length: number;
  /** null: the body is whole. */
  readonly part: Part | null;
  /** It came with a HEAD, and has no body to answer anything else with. */
  readonly headOnly: boolean;
  readonly freshUntil: number;
  /** A request that says nothing special may have it until then without another thought. */
  readonly fastPathUntil: number;
  /** A number of its own, more or less (recent-replies.ts). */
  readonly place: number;
  readonly #statusHeader: boolean;
  /** It has a Cache-Status of its own, which ours may not come before. */
  readonly #statusAbove: boolean;

  /** `body`: a small one may be given as text. `length`: of the body that a HEAD has told of; -1: untold. */
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
    const lines = head.lines + lengthLine(head.status, this.length);
    this.#rest = detachString(`${lines}\r\n${text}`);
    this.#bodyAt = lines.length + 2;
    // They are the same bytes in memory.
    this.head = { ...head, lines: this.#rest.slice(0, head.lines.length) };
    this.freshUntil = head.bornAt + head.lifetime * 1000;
    const plain = !head.noCache && part === null && !this.headOnly && this.length <= LARGEST_REPLY;
    this.fastPathUntil = plain ? this.freshUntil : Number.NEGATIVE_INFINITY;
    this.place = nextPlace++ & 0xffff;
    this.#statusHeader = statusHeader;
    this.#statusAbove = statusHeader && CACHE_STATUS.test(head.lines);
  }

  /** Nobody else has the bytes that it was made with. */
  own(): void {
    this.#own = true;
  }

  /** Somebody has found it, who may keep its bytes for as long as they like. */
  seen(): void {
    this.#seen = true;
  }

  /** It is stored no more: where nobody has ever looked, nobody has to wait for the collector. */
  forget(): void {
    if (this.#own && !this.#seen && this.bytes !== null) release(this.bytes);
  }

  /** The same response under another head: what a 304 has made of it. */
  under(head: StoredHead): StoredResponse {
    const body = this.headOnly ? null : (this.bytes ?? this.#rest.slice(this.#bodyAt));
    return new StoredResponse(head, body, this.part, this.length, this.#statusHeader);
  }

  /** The same response, which has just gone stale if it was fresh. How long it has been stale decides on its further use. */
  staleAt(now: number): StoredResponse {
    const lifetime = Math.max(0, Math.floor(now - this.head.bornAt) - 1) / 1000;
    return lifetime >= this.head.lifetime ? this : this.under({ ...this.head, lifetime });
  }

  /** The body's bytes; null: it came with a HEAD. */
  body(): Buffer | null {
    if (this.headOnly) return null;
    return this.bytes ?? Buffer.from(this.#rest.slice(this.#bodyAt), 'latin1');
  }

  /** Was it stored for such a request (RFC 9111 §4.1)? */
  isFor(scope: string, request: Fields): boolean {
    if (this.#scope !== scope) return false;
    return !this.#varies || this.head.variant === variantKey(this.head.varyNames, request);
  }

  /** The same, and it has all that a request for the whole may have. */
  isWholeFor(scope: string, request: Fields): boolean {
    return this.part === null && !this.headOnly && this.isFor(scope, request);
  }

  /** Seconds since the origin made it or last vouched for it (RFC 9111 §4.2.3). */
  ageAt(now: number): number {
    return Math.max(0, Math.floor((now - this.freshUntil) / 1000 + this.#lifetime));
  }

  /** The whole of it at that age (s). `told`: what its Cache-Status says; '': that it was stored. */
  reply(age: number, told = ''): CachedReply {
    const aged = this.agedLines(age, told);
    if (!this.#statusAbove)
      return new CachedReply(this.#status, this.#reason, aged, this.#rest, this.#bodyAt, this.bytes);
    const lines = this.#rest.slice(0, this.#bodyAt - 2) + aged;
    return CachedReply.of(this.#status, this.#reason, lines, this.#rest.slice(this.#bodyAt), this.bytes);
  }

  /** What is added when it is sent at that age. `told`: what its Cache-Status says; '': that it was stored. */
  agedLines(age: number, told = ''): string {
    if (!this.#statusHeader) return `Age: ${age}\r\n`;
    return told === '' ? hitLines(age, this.#lifetime - age) : agedLines(age, told);
  }
}

/** RFC 9110 §8.6: none where there is no content. `length`: -1: not known. */
export function lengthLine(status: number, length: number): string {
  return length < 0 || status === 204 || status === 304 ? '' : `Content-Length: ${length}\r\n`;
}

/** The head with texts of its own, for as long as it is stored; its lines become a part of the stored response's. */
export function kept(head: StoredHead): StoredHead {
  const own = (text: string | undefined): string | undefined => (text === undefined ? undefined : detachString(text));
  return {
    ...head,
    // A route's name alone is the plan's.
    scope: head.scope.includes('\n') ? detachString(head.scope) : head.scope,
    variant: detachString(head.variant),
    reason: head.reason === reasonPhrase(head.status) ? reasonPhrase(head.status) : detachString(head.reason),
    etag: own(head.etag),
    modified: own(head.modified),
    tags: head.tags.map(detachString),
  };
}
