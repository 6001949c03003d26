/**
 * Bytes that arrive in parts, copied into blocks: a sender of single bytes costs no more memory than one of long parts. Hot.
 */

/** Bytes: the first block, unless a part is longer or the whole is shorter, and the largest. */
const FIRST = 1024;
const LARGEST = 65_536;

export class ByteBlocks {
  /** Bytes held. */
  size = 0;
  /** Bytes that the blocks occupy. */
  occupied = 0;
  readonly #blocks: Buffer[] = [];
  /** Bytes of the expected length for which there is no block. */
  #expected: number;
  /** Bytes left in the last block. */
  #free = 0;
  readonly #grant: ((bytes: number) => boolean) | null;

  /** `length`: the length to expect; below 0 if it is unknown. `grant`: asked before each new block; null: there is no bound. */
  constructor(length: number, grant: ((bytes: number) => boolean) | null = null) {
    this.#expected = Math.max(0, length);
    this.#grant = grant;
  }

  /** Number of blocks. */
  get count(): number {
    return this.#blocks.length;
  }

  /** The bytes of one block. */
  block(index: number): Buffer {
    const block = this.#blocks[index]!;
    const last = index === this.#blocks.length - 1;
    return last && this.#free > 0 ? block.subarray(0, block.length - this.#free) : block;
  }

  /** Copies bytes[start, end). Returns false if a new block was not granted: part of the bytes may be missing then. */
  append(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; ) {
      if (this.#free === 0 && !this.#grow(end - at)) return false;
      const block = this.#blocks.at(-1)!;
      const copied = bytes.copy(block, block.length - this.#free, at, Math.min(end, at + this.#free));
      this.#free -= copied;
      this.size += copied;
      at += copied;
    }
    return true;
  }

  /** `due`: bytes to store now. */
  #grow(due: number): boolean {
    const last = this.#blocks.at(-1);
    const wanted = Math.min(LARGEST, Math.max(due, last === undefined ? FIRST : 2 * last.length));
    // What is announced but has not arrived takes no memory yet.
    const size = this.#expected > 0 ? Math.min(wanted, this.#expected) : wanted;
    if (this.#grant !== null && !this.#grant(size)) return false;
    this.occupied += size;
    this.#expected = Math.max(0, this.#expected - size);
    this.#free = size;
    this.#blocks.push(Buffer.allocUnsafe(size));
    return true;
  }

  /** All bytes in one piece. */
  whole(): Buffer {
    if (this.count === 1) return this.block(0);
    return Buffer.concat(this.#blocks, this.size);
  }
}
