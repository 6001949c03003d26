/** The body that a BodyReader reads at its own pace, complete or still streaming. Hot. */

export interface ReadableBody {
  /** Some of the available bytes from that position on; null: none yet, or the end. They never change. */
  piece(position: number): Buffer | null;
  /** The reader needs nothing before that position. */
  readTo(reader: object, position: number): void;
  /** The reader stops. */
  leave(reader: object): void;
}

/** Bytes to write in one go: a client that takes less within its deadline is too slow. */
const PIECE = 256 * 1024;

/** A complete body. */
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
