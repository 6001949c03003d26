/**
 * Node's encoders with the settings that suit a gateway: one response each, many at once. Hot.
 *
 * Each works in zlib's thread pool. Small contents are encoded in one step on the event loop instead, because handing
 * them to a thread and back costs more than the work.
 */
import type { Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { UNKNOWN_LENGTH } from '../message.ts';
import type { ContentCoding } from './codings.ts';

/** A coding that responses may get; deflate is left out, because clients disagree on what it means. */
export type ResponseCoding = Exclude<ContentCoding, 'deflate'>;

/** One coding at one level, worked out when the config is bound. */
export interface Encoder {
  readonly coding: ResponseCoding;
  /** Contents of at most this many bytes are encoded in one step. */
  readonly oneStep: number;
  /** Bytes that one stream takes at most. */
  readonly memory: number;
  /** Encodes a whole content at once. */
  whole(content: Buffer): Buffer;
  /** `length`: of the content in bytes, or UNKNOWN_LENGTH; then everything written comes out at once. */
  stream(length: number): Transform;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** Logarithm of the window: 512 KiB. RFC 9659 allows zstd 8 MiB, but the memory is taken for each response. */
const WINDOW = 19;
/** The shared buffer's size (net/read-buffers.ts): what arrives in one read. At these speeds, at most 0.2 ms. */
const ONE_STEP = 16 * KIB;
/** For levels that are several times slower. */
const ONE_STEP_SLOW = 2 * KIB;

/** Upper limits of measured values, by level from 0. */
const BROTLI_MEMORY = [1, 1, 1, 2, 2.5, 3, 4, 10, 12, 34, 26, 26].map((size) => size * MIB);
const ZSTD_MEMORY = [2, 2, 2, 2.5, 2.5, 4, 4, 7, 7, 12, 22, 22, 43].map((size) => size * MIB);
const GZIP_MEMORY = 400 * KIB;

function gzip(level: number): Encoder {
  return {
    coding: 'gzip',
    oneStep: ONE_STEP,
    memory: GZIP_MEMORY,
    whole: (content) => gzipSync(content, { level }),
    stream: (length) =>
      createGzip({ level, flush: length === UNKNOWN_LENGTH ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH }),
  };
}

function br(quality: number): Encoder {
  const params = (length: number): Record<number, number> => ({
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: WINDOW,
    // 0: not known.
    [constants.BROTLI_PARAM_SIZE_HINT]: Math.min(Math.max(length, 0), MIB),
  });
  return {
    coding: 'br',
    oneStep: quality <= 5 ? ONE_STEP : quality <= 9 ? ONE_STEP_SLOW : 0,
    memory: BROTLI_MEMORY[quality]!,
    whole: (content) => brotliCompressSync(content, { params: params(content.length) }),
    stream: (length) =>
      createBrotliCompress({
        params: params(length),
        flush: length === UNKNOWN_LENGTH ? constants.BROTLI_OPERATION_FLUSH : constants.BROTLI_OPERATION_PROCESS,
      }),
  };
}

function zstd(level: number): Encoder {
  const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW };
  return {
    coding: 'zstd',
    oneStep: level <= 5 ? ONE_STEP : ONE_STEP_SLOW,
    memory: ZSTD_MEMORY[level]!,
    whole: (content) => zstdCompressSync(content, { params, pledgedSrcSize: content.length }),
    stream: (length) =>
      length === UNKNOWN_LENGTH
        ? createZstdCompress({ params, flush: constants.ZSTD_e_flush })
        : createZstdCompress({ params, flush: constants.ZSTD_e_continue, pledgedSrcSize: length }),
  };
}

const MAKERS: Readonly<Record<ResponseCoding, (level: number) => Encoder>> = { gzip, br, zstd };

/** Cold. */
export function encoderOf(coding: ResponseCoding, level: number): Encoder {
  return MAKERS[coding](level);
}
