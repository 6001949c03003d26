/** Part of the Plan: content codings of responses and requests. Cold. */

export interface CompressPlan {
  readonly type: 'compress';
  /** In order of preference. */
  readonly encodings: readonly CompressEncodingPlan[];
  /** Bytes. */
  readonly minimumSize: number;
  /** Media types in lower case: `type/subtype`, `type/*` or `type/*+suffix`. */
  readonly types: readonly string[];
}

export interface CompressEncodingPlan {
  readonly coding: 'zstd' | 'br' | 'gzip';
  readonly level: number;
}

export interface DecompressPlan {
  readonly type: 'decompress';
  readonly encodings: readonly ('zstd' | 'br' | 'gzip' | 'deflate')[];
  /** Bytes; 0: no limit. */
  readonly maxSize: number;
  /** Decoded bytes for each received byte; 0: no limit. */
  readonly maxRatio: number;
}
