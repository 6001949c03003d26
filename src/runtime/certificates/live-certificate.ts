/** A certificate of a manager, in the form that listeners use. Hot to read. */
import { createHash, createPrivateKey } from 'node:crypto';
import type { CertificateManager } from '../../acme/manager.ts';
import type { ServedPair } from '../../acme/managed-certificate.ts';
import { readChain } from '../../acme/x509/certificates.ts';
import { type CertificatePair, certificatePair, keyTypeOf, type LiveCertificate } from '../../kit/certificate.ts';

export class ManagedPair implements LiveCertificate {
  readonly names: readonly string[];
  readonly keyType: LiveCertificate['keyType'];
  readonly #manager: CertificateManager;
  readonly #key: string;
  #served: ServedPair | null = null;
  #pair: CertificatePair | null = null;

  constructor(manager: CertificateManager, key: string, names: readonly string[], keyType: LiveCertificate['keyType']) {
    this.names = names;
    this.keyType = keyType;
    this.#manager = manager;
    this.#key = key;
  }

  get pair(): CertificatePair | null {
    const served = this.#manager.pair(this.#key);
    if (served !== this.#served) {
      this.#served = served;
      this.#pair = served === null ? null : describe(served);
    }
    return this.#pair;
  }
}

const described = new WeakMap<ServedPair, CertificatePair>();

/** An issuer's pair was checked when it was obtained. */
export function describe(served: ServedPair): CertificatePair {
  const known = described.get(served);
  if (known !== undefined) return known;
  const { cert, key } = served;
  const parsed = createPrivateKey(key);
  const digest = createHash('sha256').update(`${cert.length}\0${cert}\0${key}`).digest('hex');
  const pair = certificatePair(readChain(cert), parsed, keyTypeOf(parsed) ?? 'ec', digest);
  described.set(served, pair);
  return pair;
}
