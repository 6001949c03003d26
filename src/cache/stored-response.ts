/**
 * One stored response: what was worked out when it came, so that a hit has nothing left to work out. Hot.
 *
 * Never changed once it is stored. Its texts are its own: none keeps alive the message that it came with. Instants are
 * monotonic ms unless they are said to be dates.
 */
import { reasonPhrase } from '../http/status.ts';
import { StoredReply } from '../http/stored-reply.ts';
import { ownText } from '../kit/own-text.ts';
import { hitText } from './cache-status.ts';

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

export class StoredResponse {
  readonly head: StoredHead;
  /** Small bodies as text, one character a byte; larger ones as bytes. */
  readonly text: string;
  readonly bytes: Buffer | null;
  readonly length: number;
  /** null: the body is whole. */
  readonly part: Part | null;
  /** It came with a HEAD, and has no body to answer anything else with. */
  readonly headOnly: boolean;
  readonly freshUntil: number;
  /** A request that says nothing special may have it until then without another thought. */
  readonly plainUntil: number;
  /** A number of its own, more or less (recent-replies.ts). */
  readonly place: number;
  readonly #statusHeader: boolean;

  /** `body`: a small one may be given as text. `length`: of the body that a HEAD has told of; -1: untold. */
  constructor(
    head: StoredHead,
    body: Buffer | string | null,
    part: Part | null,
    length: number,
    statusHeader: boolean,
  ) {
    this.head = head;
    this.part = part;
    this.headOnly = body === null;
    const bytes = typeof body === 'string' ? null : body;
    const small = bytes === null || bytes.length <= LONGEST_TEXT;
    this.text = typeof body === 'string' ? body : small ? (bytes?.toString('latin1') ?? '') : '';
    this.bytes = small ? null : bytes;
    this.length = body?.length ?? length;
    this.freshUntil = head.bornAt + head.lifetime * 1000;
    const plain = !head.noCache && part === null && !this.headOnly && this.length <= LARGEST_REPLY;
    this.plainUntil = plain ? this.freshUntil : Number.NEGATIVE_INFINITY;
    this.#statusHeader = statusHeader;
    this.place = nextPlace++ & 0xffff;
  }

  /** The same response under another head: what a 304 has made of it. */
  under(head: StoredHead): StoredResponse {
    const body = this.headOnly ? null : (this.bytes ?? this.text);
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
    return this.bytes ?? Buffer.from(this.text, 'latin1');
  }

  /** Seconds since the origin made it or last vouched for it (RFC 9111 §4.2.3). */
  ageAt(now: number): number {
    return Math.max(0, Math.floor((now - this.head.bornAt) / 1000));
  }

  /** The whole of it at that age (s). `told`: what its Cache-Status says; '': that it was stored. */
  reply(age: number, told = ''): StoredReply {
    const { status, reason, lines } = this.head;
    const all = lines + this.#lengthLine + this.agedLines(age, told);
    return new StoredReply(status, reason, all, this.text, this.bytes);
  }

  /** RFC 9110 §8.6: none where there is no content. */
  get #lengthLine(): string {
    const { status } = this.head;
    return this.length < 0 || status === 204 || status === 304 ? '' : `Content-Length: ${this.length}\r\n`;
  }

  /** What is added when it is sent at that age. `told`: what its Cache-Status says; '': that it was stored. */
  agedLines(age: number, told = ''): string {
    const line = `Age: ${age}\r\n`;
    if (!this.#statusHeader) return line;
    return `${line}Cache-Status: ${told === '' ? hitText(this.head.lifetime - age) : told}\r\n`;
  }
}

/** The head with texts of its own, for as long as it is stored. */
export function kept(head: StoredHead): StoredHead {
  const own = (text: string | undefined): string | undefined => (text === undefined ? undefined : ownText(text));
  return {
    ...head,
    // A route's name alone is the plan's.
    scope: head.scope.includes('\n') ? ownText(head.scope) : head.scope,
    variant: ownText(head.variant),
    reason: head.reason === reasonPhrase(head.status) ? reasonPhrase(head.status) : ownText(head.reason),
    lines: ownText(head.lines),
    etag: own(head.etag),
    modified: own(head.modified),
    tags: head.tags.map(ownText),
  };
}
