/** zlib's decoders, strict: anything after the coded content is an error, and so is an early end. Hot. */
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Coder } from './coder.ts';
import type { ContentCoding } from './codings.ts';
import type { FlushFlags } from './encoders.ts';

const MIB = 1024 * 1024;
const STRICT = { rejectGarbageAfterEnd: true };
/** RFC 9659 §3: decoders need not accept a larger window than 8 MiB. */
const ZSTD = { ...STRICT, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

const ZLIB_FLAGS: FlushFlags = {
  more: constants.Z_NO_FLUSH,
  now: constants.Z_NO_FLUSH,
  last: constants.Z_FINISH,
};

interface Decoder {
  /** Bytes that it takes at most: nearly all of it is the window, whose size the sender chooses. */
  readonly memory: number;
  readonly flags: FlushFlags;
  readonly make: () => Coder;
}

export const DECODERS: Readonly<Record<ContentCoding, Decoder>> = {
  // A gzip content may have several members (RFC 1952 §2.2), which the strict option would refuse.
  gzip: { memory: 0.5 * MIB, flags: ZLIB_FLAGS, make: () => new Coder(createGunzip()) },
  deflate: { memory: 0.5 * MIB, flags: ZLIB_FLAGS, make: () => new Coder(createInflate(STRICT)) },
  br: {
    memory: 17 * MIB,
    flags: {
      more: constants.BROTLI_OPERATION_PROCESS,
      now: constants.BROTLI_OPERATION_PROCESS,
      last: constants.BROTLI_OPERATION_FINISH,
    },
    make: () => new Coder(createBrotliDecompress(STRICT)),
  },
  zstd: {
    memory: 9 * MIB,
    flags: { more: constants.ZSTD_e_continue, now: constants.ZSTD_e_continue, last: constants.ZSTD_e_end },
    make: () => new Coder(createZstdDecompress(ZSTD)),
  },
};
