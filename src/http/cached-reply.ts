/**
 * A whole response out of a store, ready to be sent as it is. Hot.
 *
 * Most of what a cache answers is this: text that was put together once, behind the few lines that are of the moment, and
 * leaves in one write. A body too long for that is kept as bytes, and leaves behind the text of the head.
 */
export class CachedReply {
  readonly status: number;
  readonly reason: string;
  /** Field lines that come before all others, each with its CRLF. */
  readonly first: string;
  /** The other field lines (all but Connection), the empty line, and the body unless it is kept as bytes, one character a byte. */
  readonly rest: string;
  /** Where in `rest` the body begins. */
  readonly bodyAt: number;
  readonly bytes: Buffer | null;
  /** The message as most clients get it, once somebody has. */
  #usual = '';

  constructor(status: number, reason: string, first: string, rest: string, bodyAt: number, bytes: Buffer | null) {
    this.status = status;
    this.reason = reason;
    this.first = first;
    this.rest = rest;
    this.bodyAt = bodyAt;
    this.bytes = bytes;
  }

  /** `lines`: all field lines but Connection. `text`: the body; '' if there is none or it is kept as bytes. */
  static of(status: number, reason: string, lines: string, text: string, bytes: Buffer | null): CachedReply {
    return new CachedReply(status, reason, '', `${lines}\r\n${text}`, lines.length + 2, bytes);
  }

  /** All field lines but Connection. */
  get lines(): string {
    return this.first + this.rest.slice(0, this.bodyAt - 2);
  }

  /** Bytes of the body. */
  get length(): number {
    return this.bytes === null ? this.rest.length - this.bodyAt : this.bytes.length;
  }

  /**
   * The message but for what is kept as bytes. `statusLine` ends in CRLF and is the one for its status and reason,
   * `connection` is the Connection line or ''.
   */
  message(statusLine: string, connection: string, withBody: boolean): string {
    if (!withBody) return `${statusLine}${this.first}${connection}${this.rest.slice(0, this.bodyAt)}`;
    if (connection !== '') return `${statusLine}${this.first}${connection}${this.rest}`;
    if (this.#usual === '') this.#usual = `${statusLine}${this.first}${this.rest}`;
    return this.#usual;
  }

  /** The same under other field lines. */
  under(lines: string): CachedReply {
    return CachedReply.of(this.status, this.reason, lines, this.rest.slice(this.bodyAt), this.bytes);
  }
}
