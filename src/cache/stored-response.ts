/**
 * One stored response: what was worked out when it came, so that a hit has nothing left to work out. Hot.
 *
 * Never changed once it is stored, but for the text of its head, which is made anew when its age has become another
 * second (RFC 9111 §4: a stored response is sent with its Age). Instants are monotonic ms unless they are said to be dates.
 */
import { StoredReply } from '../http/stored-reply.ts';
import { hitText } from './cache-status.ts';

/** A body that is longer is kept as bytes, which are not copied when they are sent. */
const LONGEST_TEXT = 16 * 1024;

/** Bytes of the largest body that leaves in one write; what is larger leaves as fast as its client takes it. */
export const LARGEST_REPLY = 256 * 1024;

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
  readonly #statusHeader: boolean;
  readonly #lines: string;
  #age = -1;
  #reply: StoredReply | null = null;

  /** `length`: of the body that a HEAD has told of; -1: untold. */
  constructor(head: StoredHead, body: Buffer | null, part: Part | null, length: number, statusHeader: boolean) {
    this.head = head;
    this.part = part;
    this.headOnly = body === null;
    const small = body !== null && body.length <= LONGEST_TEXT;
    this.text = small ? body.toString('latin1') : '';
    this.bytes = small ? null : body;
    this.length = body?.length ?? length;
    this.freshUntil = head.bornAt + head.lifetime * 1000;
    const plain = !head.noCache && part === null && !this.headOnly && this.length <= LARGEST_REPLY;
    this.plainUntil = plain ? this.freshUntil : Number.NEGATIVE_INFINITY;
    this.#statusHeader = statusHeader;
    const sized = this.length >= 0 && head.status !== 204 && head.status !== 304;
    this.#lines = sized ? `${head.lines}Content-Length: ${this.length}\r\n` : head.lines;
  }

  /** The same response under another head: what a 304 has made of it. */
  under(head: StoredHead): StoredResponse {
    return new StoredResponse(head, this.body(), this.part, this.length, this.#statusHeader);
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

  /** As most requests get it. `now`: monotonic ms. */
  reply(now: number): StoredReply {
    const age = this.ageAt(now);
    if (age !== this.#age || this.#reply === null) {
      this.#age = age;
      const { status, reason } = this.head;
      const lines = this.#lines + this.agedLines(age);
      this.#reply = new StoredReply(status, reason, lines, this.text, this.bytes);
    }
    return this.#reply;
  }

  /** The whole of it, and how the cache came by it. */
  replyAs(now: number, told: string): StoredReply {
    const { status, reason } = this.head;
    return new StoredReply(status, reason, this.#lines + this.agedLines(this.ageAt(now), told), this.text, this.bytes);
  }

  /** What is added when it is sent at that age. `told`: what its Cache-Status says; '': that it was stored. */
  agedLines(age: number, told = ''): string {
    const line = `Age: ${age}\r\n`;
    if (!this.#statusHeader) return line;
    return `${line}Cache-Status: ${told === '' ? hitText(this.head.lifetime - age) : told}\r\n`;
  }
}
