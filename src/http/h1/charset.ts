/** Which bytes may stand where in an HTTP/1.1 head, as tables of one byte each. Hot. */

function table(accepts: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (accepts(byte) ? 1 : 0));
}

const MARKS = new Set(Buffer.from("!#$%&'*+-.^_`|~"));

function isAlphanumeric(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
}

/** tchar (RFC 9110 §5.6.2). */
export const TOKEN = table((byte) => isAlphanumeric(byte) || MARKS.has(byte));

/** Bits of NAME: a byte that a name may have, and the one that many frameworks take for a hyphen. */
const IN_NAME = 1;
export const UNDERSCORE_IN_NAME = 2;

/** tchar as it stands in field names: 0 for any other byte. */
export const NAME = TOKEN.map((accepted, byte) => (byte === 0x5f ? IN_NAME | UNDERSCORE_IN_NAME : accepted));

/** Within a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5). */
export const VALUE = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** In TARGET: a byte that a path not in normal form would have ("%", "\", ";", "." or "/"), or the "?" that ends it. */
export const SUSPECT = 2;

/** In TARGET: a byte above 0x7f, which RFC 9112 §3.2 does not allow and a listener may. */
export const RAW = 3;

/**
 * Within a request target: visible ASCII but "#" (RFC 9112 §3.2 has no fragment). A few characters that RFC 3986 would
 * have encoded are let through, since browsers send them.
 */
export const TARGET = table((byte) => byte > 0x20 && byte !== 0x7f && byte !== 0x23);
for (const byte of Buffer.from('%\\;./?')) TARGET[byte] = SUSPECT;
for (let byte = 0x80; byte <= 0xff; byte++) TARGET[byte] = RAW;

/** A byte's value as a hexadecimal digit, or 255. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? 255 : digit;
});
