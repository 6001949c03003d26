/** Reads what the gateway needs of DER (X.690 §8, §10): one element after another, bounded by what holds it. Cold. */

export interface DerElement {
  /** The identifier octet: class, form and number. */
  readonly tag: number;
  /** Its content, without identifier and length. */
  readonly content: Buffer;
  /** All of it. */
  readonly whole: Buffer;
}

export const INTEGER = 0x02;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
/** The first explicitly tagged part. */
export const EXPLICIT_0 = 0xa0;

/** Throws a RangeError if the bytes are no sequence of elements. */
export function derElements(bytes: Buffer): DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at);
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    // No file has an element of more than 4 GiB; 0x80 is the indefinite length, which DER does not have.
    if ((tag & 0x1f) === 0x1f || first === 0x80 || more > 4) throw new RangeError('not DER');
    const start = at + 2 + more;
    const end = start + (more === 0 ? first : bytes.readUIntBE(at + 2, more));
    if (end > bytes.length) throw new RangeError('not DER');
    elements.push({ tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) });
    at = end;
  }
  return elements;
}

/** The elements of a SEQUENCE. Throws a RangeError if it is none. */
export function derSequence(element: DerElement | undefined): DerElement[] {
  if (element?.tag !== SEQUENCE) throw new RangeError('not a SEQUENCE');
  return derElements(element.content);
}
