/**
 * Parses enough of WebSocket's framing (RFC 6455 §5.2) to find the end of each frame, and writes Close frames. Hot for
 * WebSockets.
 *
 * Frame boundaries can't be found in the middle of a stream, so the reader follows them from the first byte. It does a
 * few operations for each frame and none for its content.
 */
const CLOSE = 8;

export class FrameReader {
  /** A whole Close frame has arrived: nothing but the end of the connection follows. */
  closed = false;
  /** Remaining bytes of the frame's content. */
  #left = 0;
  /** Received bytes of the frame's header. */
  #got = 0;
  /** Size of the header, as far as it is known. */
  #size = 2;
  /** Size of the extended length in the header. */
  #lengthSize = 0;
  #length = 0;
  #opcode = 0;

  /** True at a frame boundary. */
  get between(): boolean {
    return this.#left === 0 && this.#got === 0;
  }

  /** Reads bytes[start, end), only to the end of the first frame if `first`. Returns where it stopped. */
  read(bytes: Buffer, start: number, end: number, first: boolean): number {
    let at = start;
    while (at < end) {
      if (this.#left > 0) {
        const part = Math.min(this.#left, end - at);
        this.#left -= part;
        at += part;
      } else this.#header(bytes[at++]!);
      if (!this.between) continue;
      if (this.#opcode === CLOSE) this.closed = true;
      if (first) break;
    }
    return at;
  }

  #header(byte: number): void {
    const got = this.#got++;
    if (got === 0) this.#opcode = byte & 0xf;
    else if (got === 1) {
      const short = byte & 0x7f;
      this.#lengthSize = short === 126 ? 2 : short === 127 ? 8 : 0;
      this.#length = this.#lengthSize === 0 ? short : 0;
      this.#size = 2 + this.#lengthSize + (byte & 0x80 ? 4 : 0);
    } else if (got < 2 + this.#lengthSize) this.#length = this.#length * 256 + byte;
    if (got < 1 || this.#got < this.#size) return;
    this.#left = this.#length;
    this.#got = 0;
    this.#size = 2;
  }
}

/** A Close frame with a status code (§5.5.1). `mask` is four random bytes if a client sends it (§5.3), else null. */
export function closeFrame(code: number, mask: Buffer | null): Buffer {
  const body = [code >> 8, code & 0xff];
  if (mask === null) return Buffer.from([0x88, 2, ...body]);
  return Buffer.from([0x88, 0x82, ...mask, ...body.map((byte, i) => byte ^ mask[i]!)]);
}
