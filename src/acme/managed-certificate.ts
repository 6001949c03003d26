/**
 * One certificate that the gateway obtains and renews: what it is for, the pair in use, and when what is due. Cold.
 *
 *     nothing stored ─▶ temporary ─▶ obtained ─▶ due ─▶ obtained …
 *                          └─ failed: the next issuer in the order, then a pause for each
 */
import { type KeyObject, X509Certificate } from 'node:crypto';
import type { RenewalInfo } from './client/account.ts';
import { AcmeError } from './client/acme-error.ts';
import type { Issuer } from './issuer.ts';
import type { Lifetime } from './renewal-time.ts';
import { certificateId, digestOf, type StoredCertificate } from './store.ts';
import { serverCertificate } from './x509/certificates.ts';
import { generateKey, type KeyType, privateKeyPem } from './x509/keys.ts';

/** What a certificate is for, and where it comes from. */
export interface CertificateSpec {
  /** DNS names in lower case, wildcards, and IP addresses; the first is the common name. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** In the order in which they are tried. */
  readonly issuers: readonly Issuer[];
}

export interface ServedPair {
  /** PEM: the certificate, then the chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  /** Self-signed, until an issuer has given one. */
  readonly temporary: boolean;
}

/** What operators are shown. */
export interface CertificateStatus {
  readonly key: string;
  readonly names: readonly string[];
  readonly state: 'temporary' | 'valid' | 'expired';
  /** The name of the issuer of the certificate in use; '' for a temporary one. */
  readonly issuer: string;
  /** Of the certificate in use, in milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Milliseconds since 1970. */
  readonly nextAttempt: number;
  /** Attempts in a row that have failed at every issuer. */
  readonly failures: number;
  /** Of the last attempt, if it failed; null: it did not. */
  readonly problem: IssuerProblem | null;
  /** The window that the authority suggests; null: it suggests none. */
  readonly suggested: RenewalInfo | null;
}

export interface IssuerProblem {
  readonly issuer: string;
  readonly code: string;
  readonly detail: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export type Standing = 'prepared' | 'followed' | 'extra';

export interface Pause {
  /** Failures in a row. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Equal for specs that one certificate serves. */
export function keyOf({ names, keyType, issuers }: CertificateSpec): string {
  return digestOf(keyType, ...names.toSorted(), '', ...issuers.map(({ identity }) => identity));
}

/** One key for all temporary pairs of a process. */
export interface TemporaryKey {
  readonly key: KeyObject;
  readonly pem: string;
}

export async function makeTemporaryKey(): Promise<TemporaryKey> {
  const key = await generateKey('p256');
  return { key, pem: privateKeyPem(key) };
}

const TEMPORARY_LIFETIME = 7 * 86_400_000;
const SKEW = 3_600_000;

export class ManagedCertificate {
  readonly key: string;
  /** Newer issuers of the same identity take the place of older ones. */
  spec: CertificateSpec;
  stored: StoredCertificate | null = null;
  /** Of the stored certificate. */
  certificate: X509Certificate | null = null;
  lifetime: Lifetime = { from: 0, to: 0 };
  /** Milliseconds since 1970. */
  nextAttempt = 0;
  /** When its issuer is asked for advice (ms since 1970). */
  nextAdvice = Number.POSITIVE_INFINITY;
  adviceFailures = 0;
  suggested: RenewalInfo | null = null;
  failures = 0;
  problem: IssuerProblem | null = null;
  /** An attempt is under way. */
  running = false;
  /**
   * `prepared` for a config that is not in effect: nothing is due. `followed`: a config in effect wants it. `extra`: it
   * was added by itself.
   */
  standing: Standing;
  /** An operator wants a new one, whatever is stored. */
  forced = false;
  /** That of `stored`. */
  #pair: ServedPair | null = null;
  #temporary: (ServedPair & { readonly lifetime: Lifetime }) | null = null;
  /** By the identity of the issuer. */
  readonly #pauses = new Map<string, Pause>();
  #end: PromiseWithResolvers<void> | null = null;

  constructor(spec: CertificateSpec, standing: Standing) {
    this.key = keyOf(spec);
    this.spec = spec;
    this.standing = standing;
  }

  /**
   * The same object until it changes. `now`: ms since 1970; `temporaryKey`: the key of a temporary pair, which is made
   * when it is first needed: of ten thousand, most never are.
   */
  pairAt(now: number, temporaryKey: TemporaryKey): ServedPair {
    return this.#pair ?? this.#temporaryAt(now, temporaryKey);
  }

  #temporaryAt(now: number, { key, pem }: TemporaryKey): ServedPair {
    if (this.#temporary !== null && now < this.#temporary.lifetime.to - SKEW) return this.#temporary;
    const lifetime = { from: now - SKEW, to: now + TEMPORARY_LIFETIME };
    const cert = serverCertificate(this.spec.names, key, lifetime, null);
    this.#temporary = { cert, key: pem, temporary: true, lifetime };
    return this.#temporary;
  }

  /** Whether the stored certificate can be used at that time (ms since 1970). */
  isValid(now: number): boolean {
    return this.stored !== null && now < this.lifetime.to;
  }

  idAt(issuer: Issuer): string {
    return certificateId(this.spec.names, this.spec.keyType, issuer.identity);
  }

  /** The issuer of the stored certificate. */
  get issuer(): Issuer | null {
    return this.spec.issuers.find(({ identity }) => identity === this.stored?.issuer) ?? null;
  }

  install(stored: StoredCertificate): void {
    const certificate = new X509Certificate(stored.cert);
    this.stored = stored;
    this.#pair = { cert: stored.cert, key: stored.key, temporary: false };
    this.certificate = certificate;
    this.lifetime = { from: certificate.validFromDate.getTime(), to: certificate.validToDate.getTime() };
    this.#temporary = null;
    this.#pauses.clear();
    Object.assign(this, {
      failures: 0,
      problem: null,
      suggested: null,
      adviceFailures: 0,
      nextAdvice: 0,
      forced: false,
    });
  }

  /** Forgets the stored certificate. */
  drop(): void {
    this.#pair = null;
    Object.assign(this, { stored: null, certificate: null, suggested: null, nextAdvice: Number.POSITIVE_INFINITY });
  }

  pauseAt(issuer: Issuer): Pause {
    return this.#pauses.get(issuer.identity) ?? { failures: 0, until: 0 };
  }

  failed(issuer: Issuer, error: AcmeError, now: number, pause: number): void {
    this.#pauses.set(issuer.identity, { failures: this.pauseAt(issuer).failures + 1, until: now + pause });
    this.problem = { issuer: issuer.name, code: error.code, detail: error.message, at: now };
  }

  clearPauses(): void {
    this.#pauses.clear();
  }

  /** Resolves when the attempt under way ends, or the next. */
  nextEnd(): Promise<void> {
    this.#end ??= Promise.withResolvers<void>();
    return this.#end.promise;
  }

  attempted(): void {
    this.#end?.resolve();
    this.#end = null;
  }

  status(now: number): CertificateStatus {
    const { key, spec, nextAttempt, failures, problem, suggested } = this;
    const state = this.stored === null ? 'temporary' : this.isValid(now) ? 'valid' : 'expired';
    const temporary = this.#temporary?.lifetime ?? { from: now - SKEW, to: now + TEMPORARY_LIFETIME };
    const { from, to } = this.stored === null ? temporary : this.lifetime;
    return {
      key,
      names: spec.names,
      state,
      issuer: this.issuer?.name ?? '',
      notBefore: from,
      notAfter: to,
      nextAttempt,
      failures,
      problem,
      suggested,
    };
  }
}

/** Names without a certificate come first, then those that expire first. */
export function byNeed(a: ManagedCertificate, b: ManagedCertificate): number {
  return a.lifetime.to - b.lifetime.to;
}
