/**
 * Reads the certificates that a config names, and checks each with its key. Cold.
 *
 * The files count in the config's digest and the watcher follows them, like those of references. The history keeps
 * neither: an entry that serves again has the certificates of that moment.
 */
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { type CertificatePair, certificatePair, expiry, keyTypeOf } from '../kit/certificate.ts';
import { type FoundPair, pairsIn } from './certificate-folder.ts';
import type { ConfigReader } from './config-reader.ts';
import type { Locate } from './merge.ts';
import { parseCertificates, PemError, pemPath, pemText } from './pem.ts';
import { errorAt, type Problem } from './problem.ts';
import { isRecord, segment } from './walk.ts';

export interface CertificateCheck {
  readonly reader: ConfigReader;
  readonly locate: Locate;
  /** Unix ms. */
  readonly now: number;
}

export interface LoadedCertificate {
  readonly pair: CertificatePair;
  /** The absolute path of the certificate; '': its text comes from a reference. */
  readonly file: string;
  /** The name in `certificates`: that of the folder for a pair of a folder. */
  readonly entry: string;
}

export interface CheckedCertificates {
  readonly problems: readonly Problem[];
  /** Those without a problem, by name. */
  readonly certificates: ReadonlyMap<string, LoadedCertificate>;
  /** The names of the pairs in each folder, those that cannot be used among them. */
  readonly folders: ReadonlyMap<string, readonly string[]>;
}

const BLOCK = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

type Setting = 'cert' | 'key';

/** What is wrong with one of the two settings. */
class Wrong extends PemError {
  readonly setting: Setting;

  constructor(setting: Setting, message: string, hint?: string) {
    super(message, hint);
    this.setting = setting;
  }
}

/** What is wrong with what `read` reads is wrong with that setting. */
function within<T>(setting: Setting, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof PemError ? new Wrong(setting, error.message, error.hint) : error;
  }
}

export function checkCertificates(document: Record<string, unknown>, check: CertificateCheck): CheckedCertificates {
  const written = document['certificates'];
  const loading = new Loading(check);
  for (const [name, one] of isRecord(written) ? Object.entries(written) : []) {
    if (!isRecord(one)) continue;
    const { cert, key, dir, acme, issuer } = one;
    const issued = acme !== undefined || issuer !== undefined;
    // Others have no files, or the schema reports them.
    if (typeof cert === 'string' && typeof key === 'string') loading.pair(name, cert, key);
    else if (typeof dir === 'string') loading.folder(name, dir);
    else if (typeof cert === 'string' && key === undefined && !issued) loading.keyless(name);
  }
  checked = loading.used;
  return loading;
}

class Loading implements CheckedCertificates {
  readonly problems: Problem[] = [];
  readonly certificates = new Map<string, LoadedCertificate>();
  readonly folders = new Map<string, readonly string[]>();
  readonly used = new Map<string, CertificatePair>();
  readonly #check: CertificateCheck;

  constructor(check: CertificateCheck) {
    this.#check = check;
  }

  pair(name: string, cert: string, key: string): void {
    const pointer = pointerOf(name);
    const pathOf = (setting: Setting, value: string): string =>
      pemPath(value, this.#check.locate(`${pointer}/${setting}`).file);
    const [file, keyFile] = [pathOf('cert', cert), pathOf('key', key)];
    try {
      const pair = pairOf(this.#textOf('cert', cert, file), this.#textOf('key', key, keyFile), this.used);
      this.#take(name, { pair, file, entry: name }, `${pointer}/cert`);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      this.#error(`${pointer}/${error.setting}`, error.message, error.hint);
    }
  }

  keyless(name: string): void {
    this.#error(pointerOf(name), 'needs the setting key');
  }

  /** A pair that cannot be used stands alone: other programs write the folder, each pair for itself. */
  folder(name: string, dir: string): void {
    const pointer = `${pointerOf(name)}/dir`;
    const folder = resolve(dirname(this.#check.locate(pointer).file), dir);
    const { pairs, strangers } = pairsIn(folder, this.#check.reader);
    this.folders.set(
      name,
      pairs.map((one) => `${name}/${one.name}`),
    );
    for (const path of strangers) this.#warning(pointer, `${path} is not used: there is no private key to it`);
    for (const found of pairs) this.#ofFolder(name, found, pointer);
  }

  #ofFolder(entry: string, { name, cert, key }: FoundPair, pointer: string): void {
    const full = `${entry}/${name}`;
    try {
      const pair = pairOf(this.#textOf('cert', '', cert), this.#textOf('key', '', key), this.used);
      this.#take(full, { pair, file: cert, entry }, pointer);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      const file = error.setting === 'cert' ? cert : key;
      this.#warning(
        pointer,
        `certificate ${full} cannot be used: ${file}: ${error.message}`,
        'its last version stays in effect, if there is one',
      );
    }
  }

  #take(name: string, loaded: LoadedCertificate, pointer: string): void {
    this.certificates.set(name, loaded);
    const told = expiry(loaded.pair, this.#check.now);
    if (told !== null) this.#warning(pointer, `certificate ${name} ${told.message}`);
  }

  /** `path`: of the file; '': `value` is the text. */
  #textOf(setting: Setting, value: string, path: string): string {
    return within(setting, () => pemText(value, path, this.#check.reader));
  }

  #error(pointer: string, message: string, hint?: string): void {
    this.problems.push(errorAt(this.#check.locate(pointer), pointer, message, hint));
  }

  #warning(pointer: string, message: string, hint?: string): void {
    this.problems.push({ ...errorAt(this.#check.locate(pointer), pointer, message, hint), level: 'warning' });
  }
}

function pointerOf(name: string): string {
  return `/certificates/${segment(name)}`;
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
  const chain = within('cert', () => parseCertificates(certText.match(BLOCK) ?? []));
  const leaf = chain[0]!;
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
