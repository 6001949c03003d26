/** Node's decoders, strict: anything after the coded content is an error, and so is an early end. Hot. */
import type { Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import type { ContentCoding } from './codings.ts';

const MIB = 1024 * 1024;
const STRICT = { rejectGarbageAfterEnd: true };
/** RFC 9659 §3: decoders need not accept a larger window than 8 MiB. */
const ZSTD = { ...STRICT, params: { [constants.ZSTD_d_windowLogMax]: 23 } };

/** Bytes that one decoder takes at most: nearly all of it is the window, whose size the sender chooses. */
export const DECODER_MEMORY: Readonly<Record<ContentCoding, number>> = {
  gzip: MIB / 8,
  deflate: MIB / 8,
  br: 17 * MIB,
  zstd: 9 * MIB,
};

export function decoderOf(coding: ContentCoding): Transform {
  switch (coding) {
    case 'gzip':
      // A gzip content may have several members (RFC 1952 §2.2), which the strict option would refuse.
      return createGunzip();
    case 'deflate':
      return createInflate(STRICT);
    case 'br':
      return createBrotliDecompress(STRICT);
    case 'zstd':
      return createZstdDecompress(ZSTD);
  }
}
