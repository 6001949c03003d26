/** What backends may send where a pool's config says nothing about it. */
import type { ResponseRules } from '../../src/http/response-rules.ts';

export const STRICT: ResponseRules = {
  headerSize: 64 * 1024,
  headerCount: 256,
  bareLf: false,
  foldedLines: false,
  spaceBeforeColon: false,
  repeatedContentLength: false,
  spaceAfterChunkSize: false,
  statusAbove599: false,
};
