/** What backends may send where a pool's config says nothing about it. */
import type { ResponsesPlan } from '../../src/plan/types/responses.ts';

export const STRICT: ResponsesPlan = {
  headerSize: 64 * 1024,
  headerCount: 256,
  bareLf: false,
  foldedLines: false,
  spaceBeforeColon: false,
  repeatedContentLength: false,
  spaceAfterChunkSize: false,
  statusAbove599: false,
};
