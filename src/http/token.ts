/** The bytes of a token, as in methods, field names and directives (RFC 9110 §5.6.2). Hot. */

/** A table of the bytes that `accepts` accepts. */
export function table(accepts: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (accepts(byte) ? 1 : 0));
}

const MARKS = new Set(Buffer.from("!#$%&'*+-.^_`|~"));

export function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** tchar (RFC 9110 §5.6.2). */
export const TOKEN = table((byte) => isAlphanumeric(byte) || MARKS.has(byte));
