/**
 * A whole response out of a store, ready to be sent as it is. Hot.
 *
 * Most of what a cache answers is this: text that was made once and leaves in one write. A body too long for that is kept
 * as bytes, and leaves behind the text of the head.
 */
export class StoredReply {
  readonly status: number;
  readonly reason: string;
  /** Field lines that end in CRLF: all but Connection. */
  readonly lines: string;
  /** The body, each character one byte; '' if there is none or it is kept as bytes. */
  readonly text: string;
  readonly bytes: Buffer | null;
  /** Bytes of the body. */
  readonly length: number;
  /** All of it as most clients get it, without a Connection; made when it is first asked for. */
  #whole = '';

  constructor(status: number, reason: string, lines: string, text: string, bytes: Buffer | null) {
    this.status = status;
    this.reason = reason;
    this.lines = lines;
    this.text = text;
    this.bytes = bytes;
    this.length = bytes === null ? text.length : bytes.length;
  }

  /** `statusLine` ends in CRLF and is the one for its status and reason. */
  whole(statusLine: string): string {
    if (this.#whole === '') this.#whole = `${statusLine}${this.lines}\r\n${this.text}`;
    return this.#whole;
  }

  /** The same under other field lines. */
  under(lines: string): StoredReply {
    return new StoredReply(this.status, this.reason, lines, this.text, this.bytes);
  }
}
