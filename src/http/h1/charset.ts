/** Tables of the bytes that are allowed in each part of an HTTP/1.1 head. Hot. */

import { isAlphanumeric, table, TOKEN } from '../token.ts';

/** Bits in NAME: a byte that a name may contain, and a mark other than the hyphen, which many frameworks read as one. */
const IN_NAME = 1;
export const MARK_IN_NAME = 2;

/** tchar in field names; 0 for any other byte. */
export const NAME = TOKEN.map((accepted, byte) =>
  accepted === 1 && !isAlphanumeric(byte) && byte !== 0x2d ? IN_NAME | MARK_IN_NAME : accepted,
);

/** Bytes in a field value: VCHAR, obs-text, SP, HTAB (RFC 9110 §5.5). */
export const VALUE = table((byte) => byte === 0x09 || (byte >= 0x20 && byte !== 0x7f));

/** In TARGET: "%", "\", ";", "." or "/", which may make a path differ from its normal form, or the "?" after it. */
export const SUSPECT = 2;

/** In TARGET: a byte above 0x7f. RFC 9112 §3.2 does not allow it; a listener may. */
export const RAW = 3;

/**
 * Bytes in a request target: visible ASCII except "#" (RFC 9112 §3.2 has no fragment). A few characters that RFC 3986
 * requires to be encoded are accepted, since browsers send them.
 */
export const TARGET = table((byte) => byte > 0x20 && byte !== 0x7f && byte !== 0x23);
for (const byte of Buffer.from('%\\;./?')) TARGET[byte] = SUSPECT;
for (let byte = 0x80; byte <= 0xff; byte++) TARGET[byte] = RAW;

/** A byte's value as a hexadecimal digit, or 255. */
export const HEX = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? 255 : digit;
});
