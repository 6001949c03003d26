/**
 * The rules for responses of a pool's backends, in the form that http/response-rules.ts uses; that file explains
 * each.
 */
export interface ResponsesPlan {
  /** Bytes. */
  readonly headerSize: number;
  readonly headerCount: number;
  readonly bareLf: boolean;
  readonly foldedLines: boolean;
  readonly spaceBeforeColon: boolean;
  readonly repeatedContentLength: boolean;
  readonly spaceAfterChunkSize: boolean;
  readonly statusAbove599: boolean;
}
