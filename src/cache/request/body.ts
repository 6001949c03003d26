/** Bytes that a reader takes at its own pace: of a body that is whole, or of one that still comes. Hot. */

export interface ReadableBody {
  /** Some of the bytes that are there from that position on; null: none yet, or no more. They never change. */
  piece(position: number): Buffer | null;
  /** Nobody reads on from before that position. */
  readTo(reader: object, position: number): void;
  /** The reader has had enough. */
  leave(reader: object): void;
}

/** Bytes that are written in one go: a client that takes less within its deadline is too slow. */
const PIECE = 256 * 1024;

/** A body that is whole. */
export class WholeBody implements ReadableBody {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  piece(position: number): Buffer | null {
    return position >= this.#bytes.length ? null : this.#bytes.subarray(position, position + PIECE);
  }

  readTo(): void {}

  leave(): void {}
}
