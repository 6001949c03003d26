/** Certificate revocation lists (RFC 5280 §5), as far as the gateway reads them itself: OpenSSL verifies them. Cold. */
import type { X509Certificate } from 'node:crypto';
import { contextTag, type DerElement, DerReader, derSequence, TAG } from './der.ts';

/** The first explicitly tagged part. */
const EXPLICIT_0 = contextTag(0);

export interface RevocationList {
  /** The DER of the issuer's name, in hex. */
  readonly issuer: string;
  /** Unix ms; Infinity: it does not say when the next one comes. */
  readonly nextUpdate: number;
  /** Serial numbers in hex. */
  readonly serials: ReadonlySet<string>;
}

/** Throws a RangeError if it is none. `pem`: one block. */
export function readRevocationList(pem: string): RevocationList {
  const bytes = Buffer.from(pem.replace(/-----[^-]*-----/g, ''), 'base64');
  const parts = derSequence(derSequence(new DerReader(bytes).rest()[0])[0]);
  // The version is left out in version 1.
  const at = parts[0]?.tag === TAG.INTEGER ? 1 : 0;
  const issuer = parts[at + 1];
  const thisUpdate = parts[at + 2];
  if (issuer === undefined || thisUpdate === undefined) throw new RangeError('no revocation list');
  timeOf(thisUpdate);
  const next = parts[at + 3];
  const timed = next?.tag === TAG.UTC_TIME || next?.tag === TAG.GENERALIZED_TIME;
  const revoked = parts[at + (timed ? 4 : 3)];
  const entries = revoked === undefined || revoked.tag === EXPLICIT_0 ? [] : derSequence(revoked);
  return {
    issuer: issuer.whole.toString('hex'),
    nextUpdate: timed ? timeOf(next) : Infinity,
    serials: new Set(entries.map((entry) => numberOf(derSequence(entry)[0]))),
  };
}

/** The DER of the names of a certificate's issuer and subject, and its serial number, all in hex. */
export function namesInDer({ raw }: X509Certificate): { issuer: string; subject: string; serial: string } {
  const parts = derSequence(derSequence(new DerReader(raw).rest()[0])[0]);
  // RFC 5280 §4.1: version, serialNumber, signature, issuer, validity, subject; the version is left out in version 1.
  const at = parts[0]?.tag === EXPLICIT_0 ? 1 : 0;
  const name = (index: number): string => parts[at + index]!.whole.toString('hex');
  return { issuer: name(2), subject: name(4), serial: numberOf(parts[at]) };
}

function numberOf(element: DerElement | undefined): string {
  if (element?.tag !== TAG.INTEGER) throw new RangeError('not an INTEGER');
  return element.content.toString('hex');
}

/** RFC 5280 §4.1.2.5: always in UTC, with seconds. A year of two digits is within 1950 and 2049. */
function timeOf({ tag, content }: DerElement): number {
  const text = content.toString('latin1');
  const full = tag === TAG.UTC_TIME ? (text < '5' ? '20' : '19') + text : text;
  const digits = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (digits === null) throw new RangeError('not a time');
  const [year, month, day, hour, minute, second] = digits.slice(1).map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute, second);
}
