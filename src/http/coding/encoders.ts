/**
 * zlib's encoders with the settings that suit a gateway: one response each, many at once. Hot.
 *
 * An encoder that has finished its content serves another one: to make one costs as much as to code a few kilobytes, and
 * V8 would collect garbage more often, since it counts their memory.
 */
import { brotliCompressSync, constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import { Coder } from './coder.ts';
import type { ContentCoding } from './codings.ts';

/** A coding that responses may get; deflate is left out, because clients disagree on what it means. */
export type ResponseCoding = Exclude<ContentCoding, 'deflate'>;

/** zlib's flags for a part: that may wait for more, whose output is needed now, or that is the last. */
export interface FlushFlags {
  readonly more: number;
  readonly now: number;
  readonly last: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** Logarithm of the window: 512 KiB. RFC 9659 allows zstd 8 MiB, but the memory is taken for each response. */
const WINDOW = 19;
/** What arrives in one read (net/read-buffers.ts): at these speeds, at most 0.2 ms of work. */
const ONE_STEP = 16 * KIB;
/** For levels that are several times slower. */
const ONE_STEP_SLOW = 2 * KIB;
/** Bytes of unused encoders that are kept, for each coding and level. */
const SPARE = 16 * MIB;
/** A piece of the output. A thread is woken for each. */
const PIECE = 64 * KIB;

/** The parts that wait (coding-filter.ts) and the output. */
const PARTS = 0.45 * MIB;
/** Upper limits of measured values, by level from 0. */
const BROTLI_MEMORY = [1, 1, 1, 2, 2.5, 3, 4, 10, 12, 34, 26, 26].map((size) => size * MIB + PARTS);
const ZSTD_MEMORY = [2, 2, 2, 2.5, 2.5, 4, 4, 7, 7, 12, 22, 22, 43].map((size) => size * MIB + PARTS);
const GZIP_MEMORY = 0.45 * MIB + PARTS;
/** zlib's most: a block of the output has more of the content, which is faster and smaller. For small contents it is slower. */
const MEM_LEVEL = 9;

/**
 * Codes a whole content, bytes[start, end), of at most `oneStep` bytes; null if that has failed. The next call overwrites
 * the result unless `keepOutput` (coder.ts) is called.
 */
type WholeCoder = (bytes: Buffer, start: number, end: number) => Buffer | null;

/** Coders with the same parameters that have no content to code. */
class CoderStock {
  readonly #make: () => Coder;
  readonly #most: number;
  readonly #coders: Coder[] = [];

  /** `most`: how many are kept. */
  constructor(make: () => Coder, most: number) {
    this.#make = make;
    this.#most = most;
  }

  take(): Coder {
    return this.#coders.pop() ?? this.#make();
  }

  /** Takes a coder back that has no job. */
  give(coder: Coder): void {
    if (this.#coders.length < this.#most) {
      coder.reset();
      this.#coders.push(coder);
    } else coder.close();
  }
}

/** One coding at one level. */
export class Encoder {
  readonly coding: ResponseCoding;
  /** Contents of known length up to this, in bytes, are coded at once, without a thread. */
  readonly oneStep: number;
  /** Bytes that one coder takes at most. */
  readonly memory: number;
  readonly flags: FlushFlags;
  readonly #stock: CoderStock;
  readonly whole: WholeCoder;

  /** `reusable`: a coder can be used again after a reset. */
  constructor(
    coding: ResponseCoding,
    oneStep: number,
    memory: number,
    flags: FlushFlags,
    make: () => Coder,
    whole: WholeCoder,
    reusable = true,
  ) {
    this.coding = coding;
    this.oneStep = oneStep;
    // Sums of fractions would not come back to zero.
    this.memory = Math.ceil(memory);
    this.flags = flags;
    this.#stock = new CoderStock(make, reusable ? Math.floor(SPARE / memory) : 0);
    this.whole = whole;
  }

  take(): Coder {
    return this.#stock.take();
  }

  /** Takes a coder back that has no job. */
  give(coder: Coder): void {
    this.#stock.give(coder);
  }
}

/** Codes small contents, one at a time, always with the same coder. */
function inOneStep(make: () => Coder, last: number): WholeCoder {
  const stock = new CoderStock(make, 1);
  return (bytes, start, end) => {
    const coder = stock.take();
    const coded = coder.runAtOnce(bytes, start, end, last);
    if (coded === null) coder.close();
    else stock.give(coder);
    return coded;
  };
}

function gzip(level: number): Encoder {
  const { Z_NO_FLUSH: more, Z_SYNC_FLUSH: now, Z_FINISH: last } = constants;
  return new Encoder(
    'gzip',
    ONE_STEP,
    GZIP_MEMORY,
    { more, now, last },
    () => new Coder(createGzip({ level, memLevel: MEM_LEVEL, chunkSize: PIECE })),
    inOneStep(() => new Coder(createGzip({ level })), last),
  );
}

function br(quality: number): Encoder {
  const {
    BROTLI_OPERATION_PROCESS: more,
    BROTLI_OPERATION_FLUSH: now,
    BROTLI_OPERATION_FINISH: last,
    BROTLI_PARAM_SIZE_HINT,
  } = constants;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: WINDOW };
  return new Encoder(
    'br',
    quality <= 5 ? ONE_STEP : quality <= 9 ? ONE_STEP_SLOW : 0,
    BROTLI_MEMORY[quality]!,
    { more, now, last },
    () => new Coder(createBrotliCompress({ params, chunkSize: PIECE })),
    (bytes, start, end) =>
      brotliCompressSync(bytes.subarray(start, end), { params: { ...params, [BROTLI_PARAM_SIZE_HINT]: end - start } }),
    // Node forgets the parameters of Brotli at a reset.
    false,
  );
}

function zstd(level: number): Encoder {
  const { ZSTD_e_continue: more, ZSTD_e_flush: now, ZSTD_e_end: last } = constants;
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW };
  return new Encoder(
    'zstd',
    level <= 5 ? ONE_STEP : ONE_STEP_SLOW,
    ZSTD_MEMORY[level]!,
    { more, now, last },
    () => new Coder(createZstdCompress({ params, chunkSize: PIECE })),
    inOneStep(() => new Coder(createZstdCompress({ params })), last),
  );
}

const MAKERS: Readonly<Record<ResponseCoding, (level: number) => Encoder>> = { gzip, br, zstd };
const made: Record<ResponseCoding, (Encoder | undefined)[]> = { gzip: [], br: [], zstd: [] };

/** All routes share the encoder of a coding and level. Cold. */
export function encoderOf(coding: ResponseCoding, level: number): Encoder {
  return (made[coding][level] ??= MAKERS[coding](level));
}
