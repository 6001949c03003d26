/** What a pool's backends may send: the form in which http/h1/response-rules.ts has it, with each rule. */
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
