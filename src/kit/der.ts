/**
 * Reads DER (ITU-T X.690 §8, §10), as much of it as certificates and revocation lists use: one element after another,
 * bounded by what holds it, and strict about lengths. Cold.
 */

/** The bytes are not the DER that was expected. */
export class DerError extends RangeError {}

export interface DerElement {
  /** The identifier octet: class, form and number. */
  readonly tag: number;
  /** Its content, without identifier and length. */
  readonly content: Buffer;
  /** All of it. */
  readonly whole: Buffer;
}

/** Universal tags (§8), those of constructed types with their form. */
export const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** The tag of a context-specific constructed element. */
export function contextTag(number: number): number {
  return 0xa0 | number;
}

/** Reads the elements of some bytes, one after the other. Throws a DerError. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of the next element; -1: there is none. */
  get nextTag(): number {
    return this.#bytes[this.#at] ?? -1;
  }

  next(): DerElement {
    const start = this.#at;
    const tag = this.#byte();
    if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of several bytes');
    const length = this.#length();
    if (length > this.#bytes.length - this.#at) throw new DerError('an element is longer than what holds it');
    const content = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return { tag, content, whole: this.#bytes.subarray(start, this.#at) };
  }

  expect(tag: number): DerElement {
    const found = this.next();
    if (found.tag !== tag) throw new DerError(`tag 0x${found.tag.toString(16)} in place of 0x${tag.toString(16)}`);
    return found;
  }

  /** All that are left. */
  rest(): DerElement[] {
    const elements: DerElement[] = [];
    while (!this.atEnd) elements.push(this.next());
    return elements;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError('an indefinite or huge length');
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    // §10.1: the shortest form.
    if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError('a length that is not in its shortest form');
    return length;
  }

  #byte(): number {
    if (this.atEnd) throw new DerError('the bytes end within an element');
    return this.#bytes[this.#at++]!;
  }
}

/** The elements of a SEQUENCE. Throws a DerError if it is none. */
export function derSequence(element: DerElement | undefined): DerElement[] {
  if (element?.tag !== TAG.SEQUENCE) throw new DerError('not a SEQUENCE');
  return new DerReader(element.content).rest();
}
