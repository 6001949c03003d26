/**
 * The certificates that the gateway obtains itself, through all reloads. Cold.
 *
 *     bind ─▶ prepare (open) ─▶ commit: they are managed from now on
 *                          └──▶ abort: what the plan had added is dropped
 *
 * A plan that obtains none, or that names another state directory, ends what the plan before has begun.
 */
import { X509Certificate } from 'node:crypto';
import { PendingChallenges } from '../../acme/challenges/responder.ts';
import { asAcmeError } from '../../acme/client/acme-error.ts';
import type { CertificateStatus } from '../../acme/managed-certificate.ts';
import type { CertificateObserver } from '../../acme/observer.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import type { Events } from '../../observe/events.ts';
import type { Log } from '../../observe/log.ts';
import type { CertificateMetrics } from '../../observe/metrics.ts';
import type { Plan } from '../../plan/types.ts';
import { OpenError } from '../snapshot/open-error.ts';
import type { Prepared } from '../snapshot/opening.ts';
import { CertificateEngine } from './certificate-engine.ts';

export interface CertificatesParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly events: Events;
  readonly metrics: CertificateMetrics;
  /** Takes precedence over the config's; null: the config decides. */
  readonly stateDir: string | null;
  /** For a config without one; null: there is none. */
  readonly defaultStateDir: string | null;
}

/** The root that clients of the internal issuer have to trust. */
export interface RootView {
  /** PEM. */
  readonly certificate: string;
  readonly subject: string;
  /** SHA-256, in hex with colons. */
  readonly fingerprint: string;
  /** ISO time. */
  readonly not_after: string;
}

export class Certificates {
  readonly challenges: PendingChallenges;
  readonly #parts: CertificatesParts;
  readonly #observer: CertificateObserver;
  /** That of the plan in effect; null: it obtains no certificate. */
  #engine: CertificateEngine | null = null;
  #followed: Plan | null = null;
  /** That of a plan that is bound but not in effect. */
  #next: CertificateEngine | null = null;

  constructor(parts: CertificatesParts) {
    this.#parts = parts;
    this.challenges = new PendingChallenges(parts.clock);
    this.#observer = observerOf(parts);
  }

  get engine(): CertificateEngine | null {
    return this.#engine;
  }

  /** null: the plan obtains no certificate. Throws an OpenError. */
  engineFor(plan: Plan): CertificateEngine | null {
    if (!obtains(plan)) return null;
    const { stateDir, defaultStateDir } = this.#parts;
    const path = stateDir ?? plan.reload.stateDir ?? defaultStateDir;
    if (path === null)
      throw new OpenError([
        {
          message: 'certificates cannot be obtained without a directory for their keys: set reload.state_dir',
          code: 'ENOENT',
          pointer: '/reload/state_dir',
        },
      ]);
    if (this.#engine?.path === path) return this.#engine;
    if (this.#next?.path !== path) {
      void this.#next?.close();
      this.#next = new CertificateEngine(path, {
        ...this.#parts,
        challenges: this.challenges,
        observer: this.#observer,
      });
    }
    return this.#next;
  }

  /** Resolves when each certificate of the plan has a pair: one of the state directory, or a temporary one. */
  async prepare(plan: Plan): Promise<Prepared> {
    const engine = this.engineFor(plan);
    await engine?.prepare(plan);
    return {
      commit: () => {
        const old = this.#engine;
        this.#engine = engine;
        this.#followed = plan;
        this.#next = null;
        if (old !== engine) void old?.close();
        engine?.follow(plan);
      },
      abort: async () => {
        if (engine !== null && engine !== this.#engine) await engine.close();
        else if (this.#followed !== null) this.#engine?.follow(this.#followed);
        this.#next = null;
      },
    };
  }

  statuses(): CertificateStatus[] {
    return this.#engine?.statuses() ?? [];
  }

  /** Obtains a new certificate now, whatever there is. Returns false if it is not managed. */
  renew(key: string): boolean {
    return this.#engine?.renew(key) ?? false;
  }

  /** Returns why it can't be revoked; '': it is. `reason`: of RFC 5280 §5.3.1. */
  async revoke(key: string, reason: number): Promise<string> {
    try {
      await this.#engine?.revoke(key, reason);
      return '';
    } catch (error) {
      const { code, message } = asAcmeError(error);
      return `${code}: ${message}`;
    }
  }

  /** The root of the internal issuer; null: nothing comes from it. */
  async root(): Promise<RootView | null> {
    const certificate = (await this.#engine?.root()) ?? null;
    if (certificate === null) return null;
    const { subject, fingerprint256, validToDate } = new X509Certificate(certificate);
    return { certificate, subject, fingerprint: fingerprint256, not_after: validToDate.toISOString() };
  }

  async close(): Promise<void> {
    await Promise.all([this.#engine?.close(), this.#next?.close()]);
    this.#engine = null;
  }
}

function obtains({ certificates, listeners }: Plan): boolean {
  return (
    certificates.some(({ type }) => type === 'issued') ||
    listeners.some(({ tls }) => tls !== null && tls.onDemand !== null)
  );
}

/** The log, the events and the metrics hear of it. */
function observerOf({ clock, log, events, metrics }: CertificatesParts): CertificateObserver {
  const emit = (status: CertificateStatus, what: string, more: object = {}): void => {
    const time = new Date(clock.wall()).toISOString();
    events.emit({ time, type: 'certificate', what, ...fieldsOf(status), ...more });
  };
  return {
    changed: (status, how) => {
      if (how === 'temporary')
        log.warn('a self-signed certificate serves until one is obtained', { names: status.names });
      else log.info(MESSAGES[how], fieldsOf(status));
      if (how === 'issued') metrics.count(status.issuer, 'obtained');
      emit(status, how === 'issued' ? 'obtained' : how);
    },
    failed: (status, issuer, error) => {
      const reason = { issuer, code: error.code, reason: error.message };
      log.error('a certificate could not be obtained', { ...fieldsOf(status), ...reason });
      metrics.count(issuer, error.code);
      emit(status, 'failed', reason);
    },
    troubled: (reason) => log.error('the state directory of certificates cannot be used', { reason }),
  };
}

const MESSAGES = {
  issued: 'a certificate was obtained',
  shared: 'a certificate that another gateway has obtained is used',
  stored: 'a certificate of the state directory is used',
} as const;

function fieldsOf({ names, issuer, state, notAfter, nextAttempt }: CertificateStatus) {
  return { names, issuer, state, not_after: iso(notAfter), next_attempt: iso(nextAttempt) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
