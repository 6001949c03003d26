/**
 * Finds where TLS records begin in a stream of encrypted bytes (RFC 8446 §5.1, RFC 5246 §6.2.1). Hot: for each read.
 *
 * OpenSSL handles all that it is given at once, and a record may be small: 64 KiB may hold 2800 KeyUpdates, or as many
 * records with one byte. The gate lets a number of records through at a time.
 */

const HEADER = 5;

export class RecordGate {
  /** Bytes of the current record that are still to come. */
  #left = 0;
  /** Bytes of the next header that have come, and the length that they tell so far. */
  #header = 0;
  #length = 0;
  /** Records that have begun in the last `pass`. */
  begun = 0;

  /** Whether the first `count` bytes are one record, and it begins and ends with them: so do most reads. */
  isOneRecord(bytes: Uint8Array, count: number): boolean {
    return (
      this.#left === 0 && this.#header === 0 && count > HEADER && ((bytes[3]! << 8) | bytes[4]!) + HEADER === count
    );
  }

  /** Returns the place in `bytes` behind the `most` records, or the end. */
  pass(bytes: Uint8Array, most: number): number {
    const end = bytes.length;
    this.begun = 0;
    let at = 0;
    for (;;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
        if (this.#left > 0) return end;
      }
      if (this.begun === most && this.#header === 0) return at;
      while (this.#header < HEADER) {
        if (at === end) return end;
        if (this.#header === 3) this.#length = bytes[at]! << 8;
        else if (this.#header === 4) this.#length |= bytes[at]!;
        this.#header++;
        at++;
      }
      this.begun++;
      this.#header = 0;
      this.#left = this.#length;
    }
  }
}
