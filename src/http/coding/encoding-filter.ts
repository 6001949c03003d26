/** Encodes the content of one response. Hot. */
import { INTERNAL, type GatewayError } from '../../kit/errors.ts';
import { BodyFilter } from '../body-filter.ts';
import type { Fields } from '../fields.ts';
import { UNKNOWN_LENGTH } from '../message.ts';
import { type Coder, keepOutput } from './coder.ts';
import { CodingFilter } from './coding-filter.ts';
import type { Encoder, FlushFlags } from './encoders.ts';
import { encoderMemory } from './memory.ts';
import { removeDigests } from './representation.ts';

/**
 * Bytes of a job, where nothing is flushed between jobs: to wake a thread and to hear of it costs as much as to code some
 * kilobytes. Encoders give nothing before they have seen about as much.
 */
const WORTHWHILE = 64 * 1024;

/** Returns the filter for a content of `length` bytes (or UNKNOWN_LENGTH); null: there is no memory for it now. */
export function encodingFilter(encoder: Encoder, length: number): BodyFilter | null {
  if (length !== UNKNOWN_LENGTH && length <= encoder.oneStep) return new OneStepEncoding(encoder, length);
  return encoderMemory.take(encoder.memory) ? new StreamEncoding(encoder, length) : null;
}

/** Content that is encoded part by part in other threads. */
class StreamEncoding extends CodingFilter {
  protected readonly flags: FlushFlags;
  protected readonly prompt: boolean;
  protected readonly worthwhile: number;
  readonly #encoder: Encoder;

  constructor(encoder: Encoder, length: number) {
    super();
    this.#encoder = encoder;
    this.flags = encoder.flags;
    this.prompt = length === UNKNOWN_LENGTH;
    this.worthwhile = this.prompt ? 1 : WORTHWHILE;
  }

  protected open(): Coder {
    return this.#encoder.take();
  }

  protected close(coder: Coder | null, idle: boolean): void {
    encoderMemory.give(this.#encoder.memory);
    if (coder === null) return;
    if (idle) this.#encoder.give(coder);
    else coder.close();
  }

  protected refused(error: Error): GatewayError {
    return INTERNAL.with(`${this.#encoder.coding}: ${error.message}`);
  }

  protected check(): null {
    return null;
  }

  protected checkEnd(): null {
    return null;
  }
}

const NOTHING = Buffer.alloc(0);

/** Small content: it is encoded in one step on the event loop when it is whole. */
class OneStepEncoding extends BodyFilter {
  readonly #encoder: Encoder;
  readonly #length: number;
  /** The content, if it comes in several parts. */
  #content = NOTHING;
  #received = 0;

  constructor(encoder: Encoder, length: number) {
    super();
    this.#encoder = encoder;
    this.#length = length;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (end - start === this.#length) return this.#encode(bytes, start, end);
    if (this.#received === 0) this.#content = Buffer.allocUnsafe(this.#length);
    this.#received += bytes.copy(this.#content, this.#received, start, end);
    return this.#received < this.#length || this.#encode(this.#content, 0, this.#length);
  }

  end(trailers: Fields | null): void {
    if (trailers !== null) removeDigests(trailers);
    this.next.end(trailers);
  }

  #encode(bytes: Buffer, start: number, end: number): boolean {
    const coded = this.#encoder.whole(bytes, start, end);
    if (coded === null) {
      this.owner.filterFailed(INTERNAL.with(this.#encoder.coding));
      return true;
    }
    const ready = this.next.data(coded, 0, coded.length);
    if (!ready) keepOutput();
    return ready;
  }
}
