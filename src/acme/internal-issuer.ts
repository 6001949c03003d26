/** The gateway's own authority, for development and inside a network: a root, and short certificates below it. Cold. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Clock } from '../kit/clock.ts';
import type { RenewalInfo } from './client/account.ts';
import { AcmeError } from './client/acme-error.ts';
import type { IssuedPair, Issuer, IssueRequest } from './issuer.ts';
import type { CertificateStore, StoredAuthority } from './store.ts';
import { rootCertificate, serverCertificate } from './x509/certificates.ts';
import { generateKey, privateKeyPem } from './x509/keys.ts';

const DAY = 86_400_000;
/** Of the root. Browsers and systems set no limit for one that a person has installed. */
const ROOT_LIFETIME = 3650 * DAY;
/** A root with less than this left is followed by a new one. */
const ROOT_LEFT = 365 * DAY;
/** How much earlier than now a certificate begins: the clocks of clients differ. */
const SKEW = 3_600_000;

export class InternalIssuer implements Issuer {
  readonly name: string;
  readonly identity: string;
  readonly #lifetime: number;
  readonly #store: CertificateStore;
  readonly #clock: Clock;
  #opening: Promise<StoredAuthority> | null = null;

  /** `lifetime`: of certificates (ms). */
  constructor(name: string, lifetime: number, store: CertificateStore, clock: Clock) {
    this.name = name;
    this.identity = `internal:${name}`;
    this.#lifetime = lifetime;
    this.#store = store;
    this.#clock = clock;
  }

  async issue({ names, keyType }: IssueRequest): Promise<IssuedPair> {
    const root = await this.root();
    const key = await generateKey(keyType);
    const now = this.#clock.wall();
    const authority = { name: commonName(root.cert), key: createPrivateKey(root.key) };
    const cert = serverCertificate(names, key, { from: now - SKEW, to: now + this.#lifetime }, authority);
    return { cert, key: privateKeyPem(key) };
  }

  advice(): Promise<RenewalInfo | null> {
    return Promise.resolve(null);
  }

  revoke(): Promise<void> {
    return Promise.reject(new AcmeError('unsupported', 'the internal issuer keeps no list of revoked certificates'));
  }

  /** The root, which is made when it is first needed. */
  async root(): Promise<StoredAuthority> {
    this.#opening ??= this.#open();
    const opening = this.#opening;
    try {
      const root = await opening;
      if (!this.#isOld(root)) return root;
      this.#opening = this.#make(true);
      return await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
  }

  async #open(): Promise<StoredAuthority> {
    return (await this.#store.authority(this.name)) ?? (await this.#make(false));
  }

  #isOld({ cert }: StoredAuthority): boolean {
    return new X509Certificate(cert).validToDate.getTime() - this.#clock.wall() < ROOT_LEFT;
  }

  async #make(fresh: boolean): Promise<StoredAuthority> {
    const key = await generateKey('p256');
    const now = this.#clock.wall();
    // The year tells roots apart that follow each other.
    const name = `prozy ${this.name} ${new Date(now).getUTCFullYear()}`;
    const cert = rootCertificate({ name, key }, { from: now - SKEW, to: now + ROOT_LIFETIME });
    return this.#store.saveAuthority(this.name, { cert, key: privateKeyPem(key) }, fresh);
  }
}

function commonName(cert: string): string {
  return /^CN=(.*)$/m.exec(new X509Certificate(cert).subject)?.[1] ?? '';
}
