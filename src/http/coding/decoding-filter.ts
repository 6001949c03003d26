/** Decodes the content of one request, within limits. Hot. */
import { BODY_TOO_LARGE, BODY_UNDECODABLE, type GatewayError, OVERLOADED } from '../../kit/errors.ts';
import { BodyFilter } from '../body-filter.ts';
import type { Fields } from '../fields.ts';
import type { Coder } from './coder.ts';
import type { ContentCoding } from './codings.ts';
import { CodingFilter } from './coding-filter.ts';
import { DECODERS } from './decoders.ts';
import type { FlushFlags } from './encoders.ts';
import { decoderMemory } from './memory.ts';

export interface DecodingLimits {
  /** Bytes of the decoded content; 0: no limit. */
  readonly maxSize: number;
  /** Decoded bytes for each received byte; 0: no limit. */
  readonly maxRatio: number;
}

/** Contents up to this size, in bytes, may have any ratio: a short text of one letter is not an attack. */
const RATIO_FREE = 1024 * 1024;

/** Returns the filter that removes codings. `codings`: in the order in which they were applied, at least one. */
export function decodingFilter(codings: readonly ContentCoding[], limits: DecodingLimits): BodyFilter {
  const filters = codings.map((coding) => new Decoding(coding, limits)).toReversed();
  return filters.length === 1 ? filters[0]! : new DecodingSequence(filters);
}

class Decoding extends CodingFilter {
  protected readonly flags: FlushFlags;
  protected readonly prompt = false;
  protected readonly worthwhile = 1;
  readonly #coding: ContentCoding;
  readonly #limits: DecodingLimits;
  #received = 0;
  #decoded = 0;
  #reserved = 0;

  constructor(coding: ContentCoding, limits: DecodingLimits) {
    super();
    this.#coding = coding;
    this.flags = DECODERS[coding].flags;
    this.#limits = limits;
  }

  override data(bytes: Buffer, start: number, end: number): boolean {
    this.#received += end - start;
    return super.data(bytes, start, end);
  }

  override end(trailers: Fields | null): void {
    // An empty body has no coding that could be removed.
    if (this.#received === 0) this.next.end(trailers);
    else super.end(trailers);
  }

  protected open(): Coder | null {
    const { memory, make } = DECODERS[this.#coding];
    if (!decoderMemory.take(memory)) {
      this.failed(OVERLOADED.with('no memory for another decoder'));
      return null;
    }
    this.#reserved = memory;
    return make();
  }

  protected close(coder: Coder | null): void {
    if (this.#reserved > 0) decoderMemory.give(this.#reserved);
    coder?.close();
  }

  protected refused(error: Error): GatewayError {
    return BODY_UNDECODABLE.with(`${this.#coding}: ${error.message}`);
  }

  protected check(piece: Buffer): GatewayError | null {
    this.#decoded += piece.length;
    const { maxSize, maxRatio } = this.#limits;
    if (maxSize > 0 && this.#decoded > maxSize) return BODY_TOO_LARGE.with('decoded');
    if (maxRatio > 0 && this.#decoded > RATIO_FREE && this.#decoded > maxRatio * this.#received)
      return BODY_TOO_LARGE.with('ratio of decoded to received bytes');
    return null;
  }

  protected checkEnd(coder: Coder): GatewayError | null {
    // Node takes zeros after a gzip member for padding, and stops there.
    return coder.used < this.#received ? this.refused(new Error('bytes after the end')) : null;
  }
}

/** Several codings of one body, the last applied first. It links its filters when the first part arrives. */
class DecodingSequence extends BodyFilter {
  readonly #filters: readonly Decoding[];
  readonly #first: Decoding;
  readonly #last: Decoding;
  #linked = false;

  constructor(filters: readonly Decoding[]) {
    super();
    this.#filters = filters;
    this.#first = filters[0]!;
    this.#last = filters.at(-1)!;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    this.#link();
    return this.#first.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.#link();
    this.#first.end(trailers);
  }

  override pause(): void {
    this.#link();
    this.#last.pause();
  }

  override resume(): void {
    this.#link();
    this.#last.resume();
  }

  override abort(): void {
    for (const filter of this.#filters) filter.abort();
  }

  #link(): void {
    if (this.#linked) return;
    this.#linked = true;
    const filters = this.#filters;
    for (let i = 0; i < filters.length; i++) {
      const filter = filters[i]!;
      filter.previous = i === 0 ? this.previous : filters[i - 1]!;
      filter.next = i === filters.length - 1 ? this.next : filters[i + 1]!;
      filter.owner = this.owner;
    }
  }
}
