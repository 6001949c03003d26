/**
 * Reads the certificates that a config names, and checks each with its key. Cold.
 *
 * The files count in the config's digest and the watcher follows them, like those of references. The history keeps
 * neither: an entry that serves again has the certificates of that moment.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { type CertificatePair, certificatePair, keyTypeOf } from '../kit/certificate.ts';
import type { ConfigReader } from './config-reader.ts';
import type { Locate } from './merge.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface CertificateCheck {
  readonly reader: ConfigReader;
  readonly locate: Locate;
}

export interface CheckedCertificates {
  readonly problems: readonly Problem[];
  /** Those without a problem, by name. */
  readonly certificates: ReadonlyMap<string, CertificatePair>;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** What is wrong with one of the two settings. */
class Wrong extends Error {
  readonly setting: 'cert' | 'key';
  readonly hint: string | undefined;

  constructor(setting: 'cert' | 'key', message: string, hint?: string) {
    super(message);
    this.setting = setting;
    this.hint = hint;
  }
}

export function checkCertificates(
  document: Record<string, unknown>,
  { reader, locate }: CertificateCheck,
): CheckedCertificates {
  const problems: Problem[] = [];
  const certificates = new Map<string, CertificatePair>();
  const used = new Map<string, CertificatePair>();
  const written = document['certificates'];
  if (!isRecord(written)) return { problems, certificates };
  for (const [name, one] of Object.entries(written)) {
    if (!isRecord(one)) continue;
    const { cert, key } = one;
    const pointer = `/certificates/${segment(name)}`;
    const issued = one['acme'] !== undefined || one['issuer'] !== undefined;
    if (typeof cert === 'string' && key === undefined && !issued)
      problems.push(errorAt(locate(pointer), pointer, 'needs the setting key'));
    // Others have no files, or the schema reports them.
    if (typeof cert !== 'string' || typeof key !== 'string') continue;
    const textOf = (setting: 'cert' | 'key', value: string): string => {
      if (value.includes('-----BEGIN ')) return value;
      const path = resolve(dirname(locate(`${pointer}/${setting}`).file), value);
      const text = reader.look(path);
      if (typeof text !== 'string') throw new Wrong(setting, `cannot read ${path}: ${text.reason}`);
      return text;
    };
    try {
      certificates.set(name, pairOf(textOf('cert', cert), textOf('key', key), used));
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      const at = `${pointer}/${error.setting}`;
      problems.push(errorAt(locate(at), at, error.message, error.hint));
    }
  }
  checked = used;
  return { problems, certificates };
}

/** The pairs of the last load, by digest: of ten thousand, a reload checks only those that are new. */
let checked = new Map<string, CertificatePair>();

function pairOf(certText: string, keyText: string, used: Map<string, CertificatePair>): CertificatePair {
  const digest = createHash('sha256').update(`${certText.length}\0${certText}\0${keyText}`).digest('hex');
  const pair = used.get(digest) ?? checked.get(digest) ?? check(certText, keyText, digest);
  used.set(digest, pair);
  return pair;
}

function check(certText: string, keyText: string, digest: string): CertificatePair {
  const chain = (certText.match(BLOCK) ?? []).map((text, i) => parseCertificate(text, i));
  const [leaf] = chain;
  if (leaf === undefined)
    throw new Wrong('cert', 'there is no certificate in it', 'it must be PEM: -----BEGIN CERTIFICATE-----');
  const key = parseKey(keyText);
  const keyType = keyTypeOf(key);
  if (keyType === undefined)
    throw new Wrong('key', `a key of type ${key.asymmetricKeyType} cannot be used`, 'use ECDSA, Ed25519 or RSA');
  const bits = key.asymmetricKeyDetails?.modulusLength ?? LEAST_RSA;
  if (bits < LEAST_RSA) throw new Wrong('key', `an RSA key of ${bits} bits is too short`, `use at least ${LEAST_RSA}`);
  if (!leaf.checkPrivateKey(key)) {
    const other = chain.findIndex((one) => one.checkPrivateKey(key));
    const hint = other < 0 ? undefined : `it belongs to certificate ${other + 1} of the file, which must come first`;
    throw new Wrong('key', 'it does not belong to the certificate', hint);
  }
  const stranger = chain.findIndex((one, i) => i > 0 && !chain[i - 1]!.checkIssued(one));
  if (stranger > 0)
    throw new Wrong(
      'cert',
      `certificate ${stranger + 1} of the file has not issued certificate ${stranger}`,
      'the certificate comes first, then its issuer, then the issuer of that',
    );
  return certificatePair(chain, key, keyType, digest);
}

/** CA/Browser Forum Baseline Requirements §6.1.5. */
const LEAST_RSA = 2048;

function parseCertificate(text: string, index: number): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch {
    throw new Wrong('cert', `certificate ${index + 1} of the file is damaged, or only half of it is written`);
  }
}

function parseKey(text: string): KeyObject {
  if (!text.includes('-----BEGIN '))
    throw new Wrong('key', 'there is no private key in it', 'it must be PEM: -----BEGIN PRIVATE KEY-----');
  if (/ENCRYPTED/.test(text))
    throw new Wrong('key', 'it is encrypted with a passphrase', 'decrypt it: openssl pkey -in site.key -out plain.key');
  try {
    return createPrivateKey(text);
  } catch {
    throw new Wrong('key', 'the private key is damaged, or only half of it is written');
  }
}
