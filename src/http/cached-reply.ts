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
  /** What a codec has prepared of it, or null. A codec recognizes its own by the type and replaces any other. */
  memo: unknown = null;

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

  /** The body. */
  get content(): Buffer {
    return this.bytes ?? Buffer.from(this.rest.slice(this.bodyAt), 'latin1');
  }

  /** Returns the same reply with another head. */
  under(status: number, reason: string, lines: string): CachedReply {
    return CachedReply.of(status, reason, lines, this.rest.slice(this.bodyAt), this.bytes);
  }
}
