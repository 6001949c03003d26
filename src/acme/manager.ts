/**
 * Obtains certificates and renews them: a few at a time, at the right time, once among gateways that share a store. Cold.
 *
 * One timer wakes it for what is due first. An attempt reads the store, takes the certificate's lock, reads the store
 * again, because another gateway may have been faster, and only then asks the issuers, in their order. What an attempt
 * finds out (a new certificate, or a pause for each issuer) sets the time of the next.
 */
import { X509Certificate } from 'node:crypto';
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import { AwayIssuers } from './away-issuers.ts';
import { AcmeError, asAcmeError } from './client/acme-error.ts';
import type { Issuer } from './issuer.ts';
import { type Lock, Locks } from './lock.ts';
import {
  byNeed,
  type CertificateSpec,
  type CertificateStatus,
  keyOf,
  makeTemporaryKey,
  ManagedCertificate,
  type ServedPair,
  type Standing,
  type TemporaryKey,
} from './managed-certificate.ts';
import type { CertificateObserver } from './observer.ts';
import { backoffTime, nextAdvice, renewalTime } from './renewal-time.ts';
import type { CertificateStore, StoredCertificate } from './store.ts';

export interface ManagerParts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly observer: CertificateObserver;
  /** Attempts at once. */
  readonly mostAtOnce?: number;
  /** How often the store is looked at for what other gateways have done (ms). */
  readonly watch?: number;
}

const MOST_AT_ONCE = 4;
/** Files of the store that are open at once. */
const READERS = 16;
const WATCH = 30_000;
/** Timers are no longer than this (ms): the time of day may jump, and Node's have an end. */
const LONGEST_SLEEP = 3_600_000;
/** How long the end waits for work under way, such as the removal of a record (ms). */
const LONGEST_END = 5000;
/** Until a lock of another gateway is tried again (ms). */
const LOCKED = 5000;
/** Until a store that fails is tried again (ms). */
const STORE_PAUSE = 60_000;

export class CertificateManager {
  readonly #parts: ManagerParts;
  readonly #locks: Locks;
  readonly #certificates = new Map<string, ManagedCertificate>();
  readonly #stop = new AbortController();
  /** Work under way, which ends soon once `#stop` is aborted. */
  readonly #work = new Set<Promise<void>>();
  readonly #away: AwayIssuers;
  readonly #watcher: Timer;
  #timer: Timer | null = null;
  #temporaryKey: TemporaryKey | null = null;
  #running = 0;
  /** What is due and has no room yet, the most urgent last. */
  #due: ManagedCertificate[] = [];
  #seen = 0;
  #trouble = '';

  constructor(parts: ManagerParts) {
    this.#parts = parts;
    this.#locks = new Locks(parts.store, parts.clock);
    this.#away = new AwayIssuers(parts.random);
    this.#watcher = parts.clock.every(parts.watch ?? WATCH, () => this.#do(this.#lookForChanges()));
  }

  /**
   * Gets ready for these certificates: resolves when each has a pair, one of the store or a temporary one. Nothing is
   * ordered before `follow`.
   */
  async prepare(specs: readonly CertificateSpec[]): Promise<void> {
    const rest = specs.values();
    const reader = async (): Promise<void> => {
      for (const spec of rest) await this.#enter(spec, 'prepared');
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }

  /** Manages these certificates, in place of those of the last call; those that it has keep what they have. */
  follow(specs: readonly CertificateSpec[]): void {
    const wanted = new Map(specs.map((spec) => [keyOf(spec), spec]));
    for (const { key, standing } of this.#certificates.values())
      if (standing !== 'extra' && !wanted.has(key)) this.drop(key);
    const enter = async (): Promise<void> => {
      for (const spec of wanted.values()) await this.#enter(spec, 'followed');
      this.#schedule();
    };
    // Those that were prepared are known; others are not waited for.
    this.#do(enter());
  }

  /** Manages one more certificate, until it is dropped. Resolves when it has a pair. */
  async add(spec: CertificateSpec): Promise<void> {
    await this.#enter(spec, 'extra');
    this.#schedule();
  }

  drop(key: string): void {
    const certificate = this.#certificates.get(key);
    this.#certificates.delete(key);
    certificate?.attempted();
  }

  async #enter(spec: CertificateSpec, standing: Standing): Promise<void> {
    const known = this.#certificates.get(keyOf(spec));
    if (known !== undefined) {
      // A config that is not in effect changes nothing.
      if (standing !== 'prepared') known.spec = spec;
      if (standing === 'followed' || known.standing === 'prepared') known.standing = standing;
      return;
    }
    const certificate = new ManagedCertificate(spec, standing);
    // Nothing is due before the store was read.
    certificate.running = true;
    this.#certificates.set(certificate.key, certificate);
    this.#temporaryKey ??= await makeTemporaryKey();
    try {
      await this.#adopt(certificate, 'stored');
    } catch (error) {
      this.#storeFailed(error);
    }
    if (certificate.stored === null) this.#parts.observer.changed(certificate.status(this.#now), 'temporary');
    certificate.running = false;
  }

  /** The same object until it changes; null: it is not managed. */
  pair(key: string): ServedPair | null {
    const certificate = this.#certificates.get(key);
    if (certificate === undefined || this.#temporaryKey === null) return null;
    return certificate.pairAt(this.#now, this.#temporaryKey);
  }

  status(key: string): CertificateStatus | null {
    return this.#certificates.get(key)?.status(this.#now) ?? null;
  }

  all(): CertificateStatus[] {
    return [...this.#certificates.values()].map((one) => one.status(this.#now));
  }

  /** Obtains a new certificate now, whatever there is and whatever failed. Returns false if it is not managed. */
  renew(key: string): boolean {
    const certificate = this.#certificates.get(key);
    if (certificate === undefined) return false;
    certificate.clearPauses();
    for (const issuer of certificate.spec.issuers) this.#away.back(issuer);
    certificate.forced = true;
    certificate.nextAttempt = 0;
    this.#schedule();
    return true;
  }

  /** Revokes the certificate in use, and obtains another. Rejects with an AcmeError. `reason`: RFC 5280 §5.3.1. */
  async revoke(key: string, reason: number): Promise<void> {
    const certificate = this.#certificates.get(key);
    const { stored, issuer } = certificate ?? { stored: null, issuer: null };
    if (certificate === undefined || stored === null || issuer === null)
      throw new AcmeError('not_found', 'there is no certificate of an issuer to revoke');
    // An attempt that ends later would bring the old one back.
    if (certificate.running) await certificate.nextEnd();
    await issuer.revoke(new X509Certificate(stored.cert), reason);
    await this.#parts.store.forget(certificate.idAt(issuer));
    if (certificate.stored === stored) {
      certificate.drop();
      this.#parts.observer.changed(certificate.status(this.#now), 'temporary');
    }
    this.renew(key);
  }

  /** Resolves when the certificate has been obtained, or the next attempt has ended. */
  async attempt(key: string): Promise<void> {
    const certificate = this.#certificates.get(key);
    if (certificate !== undefined && !certificate.isValid(this.#now)) await certificate.nextEnd();
  }

  /** Attempts under way. */
  get running(): number {
    return this.#running;
  }

  /** Ends what is under way; locks are given back. */
  async close(): Promise<void> {
    this.#watcher.cancel();
    this.#timer?.cancel();
    this.#stop.abort(new AcmeError('stopped', 'the gateway stops'));
    const { clock } = this.#parts;
    let limit: Timer | undefined;
    const tooLong = new Promise<void>((resolve) => (limit = clock.after(LONGEST_END, resolve)));
    await Promise.race([Promise.allSettled(this.#work), tooLong]);
    limit?.cancel();
  }

  get #now(): number {
    return this.#parts.clock.wall();
  }

  #do(work: Promise<void>): void {
    const known = work.catch((error: unknown) => this.#storeFailed(error)).finally(() => this.#work.delete(known));
    this.#work.add(known);
  }

  /** Looks for what is due, starts as much of it as there is room for, and sets the timer for the next. */
  #schedule(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer?.cancel();
    const now = this.#now;
    const due: ManagedCertificate[] = [];
    let wait = LONGEST_SLEEP;
    for (const one of this.#certificates.values()) {
      if (one.running || one.standing === 'prepared') continue;
      const next = Math.min(one.nextAttempt, one.nextAdvice);
      if (next <= now) due.push(one);
      else wait = Math.min(wait, next - now);
    }
    // What has no room now is started by what ends: of ten thousand, the rest is not looked at again each time.
    this.#due = due.toSorted(byNeed).toReversed();
    this.#timer = this.#parts.clock.after(wait, () => this.#schedule());
    this.#startDue();
  }

  #startDue(): void {
    const now = this.#now;
    while (this.#running < this.#mostAtOnce && this.#due.length > 0) {
      const one = this.#due.pop()!;
      if (one.running || this.#certificates.get(one.key) !== one) continue;
      if (one.nextAttempt <= now) this.#start(one, (it) => this.#attempt(it));
      else if (one.nextAdvice <= now) this.#start(one, (it) => this.#takeAdvice(it));
    }
  }

  /** The room of one that has ended is for the next, and its own time may be the nearest. */
  #ended(): void {
    if (this.#stop.signal.aborted) return;
    if (this.#due.length === 0) this.#schedule();
    else this.#startDue();
  }

  get #mostAtOnce(): number {
    return this.#parts.mostAtOnce ?? MOST_AT_ONCE;
  }

  #start(certificate: ManagedCertificate, work: (certificate: ManagedCertificate) => Promise<void>): void {
    certificate.running = true;
    this.#running++;
    const done = work(certificate)
      .catch((error: unknown) => {
        this.#storeFailed(error);
        certificate.nextAttempt = Math.max(certificate.nextAttempt, this.#now + STORE_PAUSE);
      })
      .finally(() => {
        certificate.running = false;
        this.#running--;
        certificate.attempted();
        this.#ended();
      });
    this.#do(done);
  }

  async #attempt(certificate: ManagedCertificate): Promise<void> {
    await this.#adopt(certificate, 'shared');
    if (!this.#isDue(certificate) || !this.#hasChance(certificate)) return;
    const lock = await this.#locks.take(certificate.key);
    if (lock === null) {
      certificate.nextAttempt = this.#now + LOCKED * (1 + this.#parts.random());
      return;
    }
    try {
      await this.#adopt(certificate, 'shared');
      if (this.#isDue(certificate)) await this.#issue(certificate, lock);
    } finally {
      await lock.release();
    }
    this.#trouble = '';
  }

  #isDue({ nextAttempt, forced }: ManagedCertificate): boolean {
    return forced || nextAttempt <= this.#now;
  }

  /** Puts the next attempt off where no issuer may be asked yet. */
  #hasChance(certificate: ManagedCertificate): boolean {
    const first = Math.min(...certificate.spec.issuers.map((issuer) => this.#chance(certificate, issuer)));
    if (first > this.#now) certificate.nextAttempt = first;
    return first <= this.#now;
  }

  /** From when on an issuer may be asked (ms since 1970). */
  #chance(certificate: ManagedCertificate, issuer: Issuer): number {
    return Math.max(certificate.pauseAt(issuer).until, this.#away.until(issuer));
  }

  async #issue(certificate: ManagedCertificate, lock: Lock): Promise<void> {
    const stop = AbortSignal.any([this.#stop.signal, lock.lost]);
    for (const issuer of certificate.spec.issuers) {
      if (this.#chance(certificate, issuer) > this.#now) continue;
      try {
        const stored = await this.#issueAt(issuer, certificate, stop);
        this.#away.back(issuer);
        this.#install(certificate, stored, 'issued');
        // One that can't be stored is used all the same: to throw it away would cost another order.
        await this.#parts.store
          .save(certificate.idAt(issuer), stored)
          .catch((error: unknown) => this.#storeFailed(error));
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#issuerFailed(certificate, issuer, asAcmeError(error));
        if (lock.lost.aborted) break;
      }
    }
    certificate.failures++;
    this.#hasChance(certificate);
  }

  async #issueAt(issuer: Issuer, certificate: ManagedCertificate, stop: AbortSignal): Promise<StoredCertificate> {
    const { names, keyType } = certificate.spec;
    const { stored } = certificate;
    const previous = stored?.issuer === issuer.identity ? stored : null;
    const { failures } = certificate.pauseAt(issuer);
    const pair = await issuer.issue({ names, keyType, previous, failures, stop });
    return { names, keyType, issuer: issuer.identity, ...pair, obtained: new Date(this.#now).toISOString() };
  }

  #issuerFailed(certificate: ManagedCertificate, issuer: Issuer, error: AcmeError): void {
    const { random, observer } = this.#parts;
    const now = this.#now;
    const pause = backoffTime(error, certificate.pauseAt(issuer).failures + 1, random);
    certificate.failed(issuer, error, now, pause);
    this.#away.failed(issuer, error, now);
    this.#hasChance(certificate);
    observer.failed(certificate.status(now), issuer.name, error);
  }

  /** Takes a certificate of the store that is newer than the one in use. */
  async #adopt(certificate: ManagedCertificate, how: 'shared' | 'stored'): Promise<void> {
    const { store } = this.#parts;
    const found = await Promise.all(certificate.spec.issuers.map((issuer) => store.load(certificate.idAt(issuer))));
    const newest = found
      .filter((one) => one !== null)
      .toSorted((a, b) => Date.parse(b.obtained) - Date.parse(a.obtained))[0];
    if (newest === undefined) return;
    const mine = certificate.stored === null ? 0 : Date.parse(certificate.stored.obtained);
    if (Date.parse(newest.obtained) > mine) this.#install(certificate, newest, how);
  }

  #install(certificate: ManagedCertificate, stored: StoredCertificate, how: 'issued' | 'shared' | 'stored'): void {
    certificate.install(stored);
    certificate.nextAttempt = renewalTime(certificate.lifetime, null, this.#parts.random);
    this.#parts.observer.changed(certificate.status(this.#now), how);
  }

  /** Asks the issuer when it wants the certificate to be renewed (RFC 9773). A failure changes nothing. */
  async #takeAdvice(certificate: ManagedCertificate): Promise<void> {
    const { issuer, certificate: current, lifetime } = certificate;
    if (issuer === null || current === null) {
      certificate.nextAdvice = Number.POSITIVE_INFINITY;
      return;
    }
    try {
      const suggested = await issuer.advice(current);
      if (certificate.certificate !== current) return;
      const before = certificate.suggested;
      const same = before?.start === suggested?.start && before?.end === suggested?.end;
      // §4.2: a time in the same window is chosen once.
      if (!same) certificate.nextAttempt = renewalTime(lifetime, suggested, this.#parts.random);
      Object.assign(certificate, { suggested, adviceFailures: 0 });
    } catch {
      certificate.adviceFailures++;
    }
    certificate.nextAdvice = this.#now + nextAdvice(certificate.suggested, certificate.adviceFailures);
  }

  /** What other gateways have obtained is used without waiting for our own time. */
  async #lookForChanges(): Promise<void> {
    const changed = await this.#parts.store.changed();
    if (changed === this.#seen) return;
    this.#seen = changed;
    for (const certificate of this.#certificates.values())
      if (!certificate.running) await this.#adopt(certificate, 'shared');
    this.#schedule();
  }

  #storeFailed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason !== this.#trouble) this.#parts.observer.troubled(reason);
    this.#trouble = reason;
  }
}
