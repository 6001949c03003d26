/**
 * Two ends of a byte stream without a connection: what one end writes, the other reads. Like the stream of an extended
 * CONNECT (RFC 8441), they are ByteStreams and nothing more, and each takes only as many bytes as its window has room for.
 */
import { type ByteStream, type ByteStreamHandler, IGNORE } from '../../src/net/byte-stream.ts';

export class MemoryStream implements ByteStream {
  handler: ByteStreamHandler = IGNORE;
  closed = false;
  bytesSent = 0;
  #other: MemoryStream = this;
  readonly #window: number;
  /** Written bytes that the other end has no room for. */
  #outbox: Buffer = Buffer.alloc(0);
  /** Bytes that have arrived. */
  #inbox: Buffer = Buffer.alloc(0);
  #reading = false;
  #ended = false;
  #drainDue = false;
  #endTold = false;
  /** Why the other end has broken it, or ''. */
  #broken = '';

  /** `window`: bytes that each end takes without being read. */
  static pair(window: number): [MemoryStream, MemoryStream] {
    const [one, other] = [new MemoryStream(window), new MemoryStream(window)];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  private constructor(window: number) {
    this.#window = window;
  }

  get pending(): boolean {
    return this.#outbox.length > 0;
  }

  /** It has no connection of its own. */
  addresses(): null {
    return null;
  }

  writeText(text: string): boolean {
    return this.write(text, this.#outbox, 0, 0, '');
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    if (this.closed) return true;
    const parts = [Buffer.from(prefix, 'latin1'), bytes.subarray(start, end), Buffer.from(suffix, 'latin1')];
    this.#outbox = Buffer.concat([this.#outbox, ...parts]);
    this.#send();
    if (this.pending) this.#drainDue = true;
    return !this.pending;
  }

  pause(): void {
    this.#reading = false;
  }

  /** Delivers what has arrived at once, as a stream with a buffer of its own may. */
  resume(): void {
    if (this.closed) return;
    this.#reading = true;
    this.#deliver();
    this.#later();
  }

  end(): void {
    this.#ended = true;
    this.#other.#later();
  }

  destroy(): void {
    if (this.closed) return;
    this.closed = true;
    this.#outbox = Buffer.alloc(0);
    this.end();
  }

  reset(): void {
    if (this.closed) return;
    this.closed = true;
    this.#other.#broken = 'ECONNRESET';
    this.#other.#later();
  }

  /** Sends as much as the other end has room for. */
  #send(): void {
    const other = this.#other;
    const room = other.closed ? Number.POSITIVE_INFINITY : other.#window - other.#inbox.length;
    const part = this.#outbox.subarray(0, room);
    if (part.length === 0) return;
    this.#outbox = this.#outbox.subarray(part.length);
    this.bytesSent += part.length;
    if (!other.closed) other.#inbox = Buffer.concat([other.#inbox, part]);
    other.#later();
  }

  #later(): void {
    setImmediate(() => this.#work());
  }

  #work(): void {
    if (this.closed) return;
    if (this.#broken !== '') {
      this.closed = true;
      this.handler.onClose(this.#broken);
      return;
    }
    this.#deliver();
    const over = this.#other.#ended && !this.#other.pending && this.#inbox.length === 0;
    if (over && this.#reading && !this.#endTold) {
      this.#endTold = true;
      this.handler.onEnd();
    }
    if (this.#drainDue && !this.pending) {
      this.#drainDue = false;
      this.handler.onDrain();
    }
  }

  #deliver(): void {
    if (!this.#reading || this.#inbox.length === 0) return;
    const bytes = Buffer.from(this.#inbox);
    this.#inbox = Buffer.alloc(0);
    this.handler.onBytes(bytes, 0, bytes.length);
    // They were valid during the call only, unless reading was paused.
    if (this.#reading) bytes.fill(0);
    // The window has room again.
    this.#other.#send();
    this.#other.#later();
    this.#later();
  }
}
