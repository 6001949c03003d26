/**
 * What a pool's backends may send, from its `limits` and `lenient`. Hot: read, never allocated.
 *
 * Each leniency relaxes one rule for responses where the meaning is clear. The gateway writes its own framing, so no
 * such fault reaches a client. None concerns Transfer-Encoding, and none reads bytes as a second message.
 */

export interface ResponsesPlan {
  /** Bytes of a whole response head. */
  readonly headerSize: number;
  /** Fields in a response head. */
  readonly headerCount: number;
  /** RFC 9112 §2.2: a line of the head may end in LF alone. */
  readonly bareLf: boolean;
  /** RFC 9112 §5.2: a field may go on in the next line; the lines are joined by a space. */
  readonly foldedLines: boolean;
  /** RFC 9112 §5.1: white space before a field's colon is taken out. */
  readonly spaceBeforeColon: boolean;
  /** RFC 9112 §6.3: several Content-Lengths that say the same are one. */
  readonly repeatedContentLength: boolean;
  /** RFC 9112 §7.1: white space between a chunk's size, or its extensions, and the end of the line. */
  readonly spaceAfterChunkSize: boolean;
  /** RFC 9110 §15: statuses from 600 to 999 are passed on; they count as 5xx. */
  readonly statusAbove599: boolean;
}
