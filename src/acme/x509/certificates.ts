/** Makes certificates (RFC 5280) and signing requests (RFC 2986), and reads from certificates what Node does not. Cold. */
import { type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { contextTag, type DerElement, DerError, DerReader, TAG } from '../../kit/der.ts';
import { explicit, integer, objectIdentifier, sequence, setOf, time } from './der.ts';
import {
  acmeIdentifier,
  AUTHORITY_KEY_IDENTIFIER,
  authorityKeyIdentifier,
  basicConstraints,
  distinguishedName,
  keyUsage,
  serverUsage,
  subjectAlternativeName,
  subjectKeyIdentifier,
} from './extensions.ts';
import { publicKeyInfo, signatureAlgorithm, signed } from './keys.ts';

/** Milliseconds since 1970. */
export interface Validity {
  readonly from: number;
  readonly to: number;
}

export interface Authority {
  readonly name: string;
  readonly key: KeyObject;
}

interface Parts {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly validity: Validity;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** Of a chain. */
const MOST_CERTIFICATES = 10;

/** The bit numbers of KeyUsage. */
const DIGITAL_SIGNATURE = 0;
const KEY_ENCIPHERMENT = 2;
const KEY_CERT_SIGN = 5;
const CRL_SIGN = 6;

function certificate({ issuer, subject, validity, key, signer, extensions }: Parts): string {
  // RFC 5280 §4.1.2.2: positive, at most 20 bytes.
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const body = sequence(
    explicit(0, integer(2)),
    integer(serial),
    signatureAlgorithm(signer),
    issuer,
    sequence(time(validity.from), time(validity.to)),
    subject,
    publicKeyInfo(key),
    explicit(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', signed(body, signer));
}

/** A root that signs end-entity certificates only. PEM. */
export function rootCertificate({ name, key }: Authority, validity: Validity): string {
  const subject = distinguishedName(name);
  const extensions = [basicConstraints(0), keyUsage(KEY_CERT_SIGN, CRL_SIGN), subjectKeyIdentifier(key)];
  return certificate({ issuer: subject, subject, validity, key, signer: key, extensions });
}

/** A certificate of a server; null: signed by its own key. PEM. */
export function serverCertificate(
  names: readonly string[],
  key: KeyObject,
  validity: Validity,
  authority: Authority | null,
): string {
  const subject = distinguishedName(names[0] ?? '');
  const usage = key.asymmetricKeyType === 'rsa' ? [DIGITAL_SIGNATURE, KEY_ENCIPHERMENT] : [DIGITAL_SIGNATURE];
  const signer = authority?.key ?? key;
  return certificate({
    issuer: authority === null ? subject : distinguishedName(authority.name),
    subject,
    validity,
    key,
    signer,
    extensions: [
      basicConstraints(null),
      keyUsage(...usage),
      serverUsage(),
      // RFC 5280 §4.2.1.6: critical if there is no subject.
      subjectAlternativeName(names, subject.length <= 2),
      subjectKeyIdentifier(key),
      authorityKeyIdentifier(signer),
    ],
  });
}

/** The certificate that answers a TLS-ALPN-01 challenge (RFC 8737 §3). PEM. */
export function challengeCertificate(name: string, digest: Buffer, key: KeyObject, validity: Validity): string {
  const subject = distinguishedName(name);
  const extensions = [subjectAlternativeName([name], subject.length <= 2), acmeIdentifier(digest)];
  return certificate({ issuer: subject, subject, validity, key, signer: key, extensions });
}

/** A signing request in DER without a subject: the names are in its extension, as RFC 8555 §7.4 allows. */
export function signingRequest(names: readonly string[], key: KeyObject): Buffer {
  const extensions = sequence(subjectAlternativeName(names));
  // PKCS #9 extensionRequest (RFC 2985 §5.4.2).
  const attribute = sequence(objectIdentifier('1.2.840.113549.1.9.14'), setOf(extensions));
  return signed(sequence(integer(0), sequence(), publicKeyInfo(key), explicit(0, attribute)), key);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export interface CertificateIds {
  /** The content of the DER integer. */
  readonly serial: Buffer;
  /** null: the certificate has none. */
  readonly authorityKey: Buffer | null;
}

/** Throws a DerError. */
export function certificateIds(certificate: X509Certificate): CertificateIds {
  const body = new DerReader(
    new DerReader(new DerReader(certificate.raw).expect(TAG.SEQUENCE).content).expect(TAG.SEQUENCE).content,
  );
  if (body.nextTag === contextTag(0)) body.next();
  const serial = body.expect(TAG.INTEGER).content;
  let extensions: DerElement | null = null;
  while (!body.atEnd) {
    const part = body.next();
    if (part.tag === contextTag(3)) extensions = part;
  }
  return { serial, authorityKey: extensions === null ? null : authorityKeyIn(extensions.content) };
}

function authorityKeyIn(extensions: Buffer): Buffer | null {
  const wanted = objectIdentifier(AUTHORITY_KEY_IDENTIFIER);
  const list = new DerReader(new DerReader(extensions).expect(TAG.SEQUENCE).content);
  while (!list.atEnd) {
    const one = new DerReader(list.expect(TAG.SEQUENCE).content);
    if (!one.expect(TAG.OBJECT_IDENTIFIER).whole.equals(wanted)) continue;
    if (one.nextTag === TAG.BOOLEAN) one.next();
    const value = new DerReader(new DerReader(one.expect(TAG.OCTET_STRING).content).expect(TAG.SEQUENCE).content);
    // keyIdentifier [0] comes first.
    return value.nextTag === 0x80 ? value.next().content : null;
  }
  return null;
}

/** The certificates of a PEM text, the end entity first. Throws where there is none, or one is damaged. */
export function readChain(text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new DerError('there is no certificate');
  if (blocks.length > MOST_CERTIFICATES) throw new DerError(`there are more than ${MOST_CERTIFICATES} certificates`);
  return blocks.map((block) => new X509Certificate(block));
}
