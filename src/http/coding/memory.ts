/**
 * The memory of all coders: they hold it outside the heap, for as long as a body takes, and clients decide how long. Hot.
 *
 * Each coder reserves the bytes that it may take. A response that finds no room is sent without a coding; a request
 * that must be decoded is refused.
 */

class CoderMemory {
  /** Bytes; 0: no limit. */
  limit = 0;
  #reserved = 0;
  #coders = 0;

  /** Reports whether there was room. */
  reserve(bytes: number): boolean {
    if (this.limit > 0 && this.#reserved + bytes > this.limit) return false;
    this.#reserved += bytes;
    this.#coders++;
    return true;
  }

  release(bytes: number): void {
    this.#reserved -= bytes;
    this.#coders--;
  }

  /** Coders that hold memory now; for leak checks. */
  get coders(): number {
    return this.#coders;
  }
}

/** The encoders' memory and the decoders' are counted apart, so that uploads can't keep responses from being coded. */
export const encoderMemory = new CoderMemory();
export const decoderMemory = new CoderMemory();
