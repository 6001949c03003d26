/**
 * A complete response from the cache, ready to send. Hot.
 *
 * Most cached responses are text that is assembled once. It follows the few field lines that change with each response,
 * and one write sends both. A body too long for that is kept as bytes and is sent after the text of the head.
 */
export class CachedReply {
  readonly status: number;
  readonly reason: string;
  /** Field lines that precede all others. Each ends in CRLF. */
  readonly first: string;
  /** The other field lines (not Connection), the empty line, and the body if it is text; each character is one byte. */
  readonly rest: string;
  /** Offset in `rest` at which the body begins. */
  readonly bodyAt: number;
  readonly bytes: Buffer | null;
  /** The message as most clients get it; '' until the first of them has asked. */
  #usual = '';

  constructor(status: number, reason: string, first: string, rest: string, bodyAt: number, bytes: Buffer | null) {
    this.status = status;
    this.reason = reason;
    this.first = first;
    this.rest = rest;
    this.bodyAt = bodyAt;
    this.bytes = bytes;
  }

  /** `lines`: all field lines but Connection. `text`: the body, or '' if there is none or it is kept as bytes. */
  static of(status: number, reason: string, lines: string, text: string, bytes: Buffer | null): CachedReply {
    return new CachedReply(status, reason, '', `${lines}\r\n${text}`, lines.length + 2, bytes);
  }

  /** All field lines but Connection. */
  get lines(): string {
    return this.first + this.rest.slice(0, this.bodyAt - 2);
  }

  /** Length of the body in bytes. */
  get length(): number {
    return this.bytes === null ? this.rest.length - this.bodyAt : this.bytes.length;
  }

  /**
   * Returns the message without a body that is kept as bytes. `statusLine` must match the status and reason, and ends
   * in CRLF. `connection` is the Connection line or ''.
   */
  message(statusLine: string, connection: string, withBody: boolean): string {
    if (!withBody) return `${statusLine}${this.first}${connection}${this.rest.slice(0, this.bodyAt)}`;
    if (connection !== '') return `${statusLine}${this.first}${connection}${this.rest}`;
    if (this.#usual === '') this.#usual = `${statusLine}${this.first}${this.rest}`;
    return this.#usual;
  }

  /** The body. */
  get content(): Buffer {
    return this.bytes ?? Buffer.from(this.rest.slice(this.bodyAt), 'latin1');
  }

  /** Returns the same reply with another head. */
  under(status: number, reason: string, lines: string): CachedReply {
    return CachedReply.of(status, reason, lines, this.rest.slice(this.bodyAt), this.bytes);
  }
}
