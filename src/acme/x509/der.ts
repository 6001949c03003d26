/** Writes DER (ITU-T X.690), as much of it as certificates and signing requests use. kit/der.ts reads it. Cold. */
import { contextTag, TAG } from '../../kit/der.ts';

/** A tag, the shortest form of the length (§10.1), and the content. */
function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.SEQUENCE, ...parts);
}

/** A SET of one element, which needs no order. */
export function setOf(part: Uint8Array): Buffer {
  return element(TAG.SET, part);
}

/** `value`: big-endian and not negative. */
export function integer(value: number | Uint8Array): Buffer {
  let bytes = typeof value === 'number' ? numberBytes(value) : value;
  while (bytes.length > 1 && bytes[0] === 0) bytes = bytes.subarray(1);
  return element(TAG.INTEGER, bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function numberBytes(value: number): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(value, 0, 6);
  return bytes;
}

export function boolean(value: boolean): Buffer {
  return element(TAG.BOOLEAN, Buffer.from([value ? 0xff : 0]));
}

export function nothing(): Buffer {
  return element(TAG.NULL);
}

/** `unused`: how many of the last bits do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return element(TAG.BIT_STRING, Buffer.from([unused]), bytes);
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(TAG.OCTET_STRING, bytes);
}

export function utf8String(text: string): Buffer {
  return element(TAG.UTF8_STRING, Buffer.from(text, 'utf8'));
}

/** `dotted`: as in `2.5.29.17`. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(TAG.OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(arc: number): number[] {
  const bytes = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) bytes.unshift((rest % 128) | 0x80);
  return bytes;
}

/** `ms` since 1970, as RFC 5280 §4.1.2.5 wants it: two digits of the year until 2049. Fractions of a second are cut. */
export function time(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:T]/g, '')}Z`;
  const year = Number(text.slice(0, 4));
  return year >= 1950 && year < 2050
    ? element(TAG.UTC_TIME, Buffer.from(text.slice(2), 'latin1'))
    : element(TAG.GENERALIZED_TIME, Buffer.from(text, 'latin1'));
}

/** `[number]` around whole elements. */
export function explicit(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(contextTag(number), ...parts);
}

/** `[number]` in place of the tag of a primitive type. */
export function implicit(number: number, content: Uint8Array): Buffer {
  return element(0x80 | number, content);
}
