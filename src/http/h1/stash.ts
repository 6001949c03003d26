/** Bytes that wait for the rest of a message or for a receiver. Hot, but rarely used. */

export const NO_BYTES = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

export class Stash {
  bytes: Buffer = NO_BYTES;
  length = 0;

  /** True if it holds only empty lines; the last may be incomplete. */
  get isEmptyLines(): boolean {
    const { bytes, length } = this;
    for (let i = 0; i < length; i++) if (bytes[i] !== (i % 2 === 0 ? CR : LF)) return false;
    return length > 0;
  }

  /** Appends a copy of bytes[start, end). */
  append(bytes: Buffer, start: number, end: number): void {
    const length = this.length + end - start;
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.bytes.length, 512));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    bytes.copy(this.bytes, this.length, start, end);
    this.length = length;
  }

  /** Removes and returns all bytes; the caller owns them. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.clear();
    return taken;
  }

  clear(): void {
    this.bytes = NO_BYTES;
    this.length = 0;
  }
}
