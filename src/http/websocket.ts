/**
 * As much of WebSocket's framing (RFC 6455 §5.2) as it takes to know where a frame ends, and to write a Close. Hot for
 * WebSockets.
 *
 * Where frames begin can't be found out in the middle of a stream, so they are counted from the first byte on: a few
 * operations for each frame, none for what lies in it.
 */
const CLOSE = 8;

export class FrameReader {
  /** A whole Close frame has come: nothing but the end follows. */
  closed = false;
  /** Bytes of the frame's content still to come. */
  #left = 0;
  /** Bytes of its header that have come. */
  #got = 0;
  /** How long the header is, as far as it is known. */
  #size = 2;
  /** Of them, those that make up the length. */
  #lengthSize = 0;
  #length = 0;
  #opcode = 0;

  /** All that has come are whole frames. */
  get between(): boolean {
    return this.#left === 0 && this.#got === 0;
  }

  /** Takes note of bytes[start, end), or of them up to the end of the first frame; answers how far it has come. */
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

/** A Close frame with a status code (§5.5.1). `mask`: four random bytes if it is a client that sends it (§5.3), else null. */
export function closeFrame(code: number, mask: Buffer | null): Buffer {
  const body = [code >> 8, code & 0xff];
  if (mask === null) return Buffer.from([0x88, 2, ...body]);
  return Buffer.from([0x88, 0x82, ...mask, ...body.map((byte, i) => byte ^ mask[i]!)]);
}
