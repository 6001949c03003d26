/** The X.509 extensions that we write (RFC 5280 §4.2), and the forms of names in them. Cold. */
import type { KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import {
  bitString,
  boolean,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  utf8String,
} from './der.ts';
import { keyIdentifier } from './keys.ts';

const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
export const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
/** RFC 8737 §6.1. */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';

/** RFC 5280: the upper bound of a common name, `ub-common-name`. */
const LONGEST_COMMON_NAME = 64;

function extension(oid: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** `names`: DNS names and IP addresses. */
export function subjectAlternativeName(names: readonly string[], critical = false): Buffer {
  const general = names.map((name) =>
    isIP(name) === 0 ? implicit(2, Buffer.from(name, 'latin1')) : implicit(7, addressBytes(name)),
  );
  return extension(SUBJECT_ALTERNATIVE_NAME, critical, sequence(...general));
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  // The URL parser writes an embedded IPv4 address as two groups.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}

/** `pathLength`: how many authorities may stand below; null: not an authority. */
export function basicConstraints(pathLength: number | null): Buffer {
  const value = pathLength === null ? sequence() : sequence(boolean(true), integer(pathLength));
  return extension('2.5.29.19', true, value);
}

/** Bits from the left: digitalSignature 0, keyEncipherment 2, keyCertSign 5, cRLSign 6. */
export function keyUsage(...bits: readonly number[]): Buffer {
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return extension('2.5.29.15', true, bitString(Buffer.from([byte]), 7 - Math.max(...bits)));
}

/** id-kp-serverAuth. */
export function serverUsage(): Buffer {
  return extension('2.5.29.37', false, sequence(objectIdentifier('1.3.6.1.5.5.7.3.1')));
}

export function subjectKeyIdentifier(key: KeyObject): Buffer {
  return extension('2.5.29.14', false, octetString(keyIdentifier(key)));
}

export function authorityKeyIdentifier(key: KeyObject): Buffer {
  return extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(implicit(0, keyIdentifier(key))));
}

/** RFC 8737 §3: `digest` is the SHA-256 of the key authorization. */
export function acmeIdentifier(digest: Buffer): Buffer {
  return extension(ACME_IDENTIFIER, true, octetString(digest));
}

/** A Name with a common name, or an empty one where the name would be too long. */
export function distinguishedName(commonName: string): Buffer {
  if (commonName === '' || commonName.length > LONGEST_COMMON_NAME) return sequence();
  return sequence(setOf(sequence(objectIdentifier('2.5.4.3'), utf8String(commonName))));
}
