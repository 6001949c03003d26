/**
 * Certificates for names that no config lists, obtained when a client first asks for them. Cold, but for `find`.
 *
 * Anyone can make up names, and each may cost an order. So an endpoint of the operator says which names are ours, its
 * refusals are remembered for a while, and there is a rate of new names and a number of names at once.
 */
import { isIP } from 'node:net';
import type { Clock } from '../kit/clock.ts';
import { hostForm } from '../kit/host-name.ts';
import { AcmeError, asAcmeError } from './client/acme-error.ts';
import type { HttpClient } from './client/http-client.ts';
import type { Issuer } from './issuer.ts';
import { type CertificateSpec, keyOf, type ServedPair } from './managed-certificate.ts';
import type { CertificateManager } from './manager.ts';
import type { KeyType } from './x509/keys.ts';

/** Whether we may have a certificate for a name. Rejects where the question could not be answered. */
export type Ask = (name: string) => Promise<boolean>;

/** Asks `GET <url>?domain=<name>`: 2xx is yes, as Caddy's `ask` has it. */
export function askEndpoint(url: string, http: HttpClient): Ask {
  return async (name) => {
    const target = new URL(url);
    target.searchParams.set('domain', name);
    const { status } = await http.send({ method: 'GET', url: target.href });
    if (status >= 500) throw new AcmeError('ask_failed', `${url} answers with ${status}`, { status });
    return status >= 200 && status < 300;
  };
}

export interface OnDemandParts {
  readonly manager: CertificateManager;
  readonly ask: Ask;
  readonly keyType: KeyType;
  readonly issuers: readonly Issuer[];
  readonly clock: Clock;
  /** Names at once; the one that was not used for the longest time goes first. */
  readonly most: number;
  /** New names in `per` ms. */
  readonly rate: number;
  readonly per: number;
  /** How long a handshake waits for a certificate (ms). */
  readonly patience: number;
  /** The question for a name could not be answered. */
  readonly failed: (name: string, error: AcmeError) => void;
}

interface Known {
  readonly key: string;
  /** Monotonic ms. */
  used: number;
}

/** How long a refusal is remembered (ms), and how many are. */
const REFUSED = 60_000;
const MOST_REFUSED = 10_000;
/** Names that are asked about at once. */
const MOST_ASKED = 100;
/** A name that was not used for so long is given up when its next attempt is due (ms). */
const IDLE = 7 * 86_400_000;

export class OnDemand {
  readonly #parts: OnDemandParts;
  readonly #issuers: readonly Issuer[];
  /** By name; in the order of their last use. */
  readonly #known = new Map<string, Known>();
  /** By name: until when (monotonic ms). */
  readonly #refused = new Map<string, number>();
  readonly #asking = new Map<string, Promise<ServedPair | null>>();
  #tokens: number;
  #filled: number;

  constructor(parts: OnDemandParts) {
    this.#parts = parts;
    this.#tokens = parts.rate;
    this.#filled = parts.clock.now();
    this.#issuers = parts.issuers.map((issuer) => this.#asked(issuer));
  }

  /** The pair for a name, if it is in memory. */
  find(serverName: string): ServedPair | null {
    const known = this.#known.get(serverName);
    if (known === undefined) return null;
    known.used = this.#parts.clock.now();
    this.#known.delete(serverName);
    this.#known.set(serverName, known);
    return this.#usable(known.key);
  }

  /** Obtains a pair. null: the name is refused, there are too many, or it takes too long. Handshakes share one attempt. */
  obtain(serverName: string): Promise<ServedPair | null> {
    const found = this.find(serverName);
    if (found !== null) return Promise.resolve(found);
    const asking = this.#asking.get(serverName);
    if (asking !== undefined) return asking;
    if (!this.#mayAsk(serverName)) return Promise.resolve(null);
    const attempt = this.#obtain(serverName).finally(() => this.#asking.delete(serverName));
    this.#asking.set(serverName, attempt);
    return attempt;
  }

  close(): void {
    for (const { key } of this.#known.values()) this.#parts.manager.drop(key);
    this.#known.clear();
  }

  #mayAsk(name: string): boolean {
    const { clock } = this.#parts;
    if (this.#asking.size >= MOST_ASKED || isIP(name) !== 0 || hostForm(name) !== name || !name.includes('.'))
      return false;
    const refused = this.#refused.get(name);
    if (refused !== undefined && refused > clock.now()) return false;
    return this.#known.has(name) || this.#takeToken();
  }

  #takeToken(): boolean {
    const { clock, rate, per } = this.#parts;
    const now = clock.now();
    this.#tokens = Math.min(rate, this.#tokens + ((now - this.#filled) * rate) / per);
    this.#filled = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  async #obtain(name: string): Promise<ServedPair | null> {
    const { manager, ask, keyType } = this.#parts;
    try {
      if (!this.#known.has(name) && !(await ask(name))) {
        this.#refuse(name);
        return null;
      }
      const spec: CertificateSpec = { names: [name], keyType, issuers: this.#issuers };
      const key = keyOf(spec);
      this.#enter(name, key);
      await manager.add(spec);
      const failed = manager.status(key);
      // An attempt that failed is made again in its time, not at the next handshake.
      if (failed !== null && failed.state !== 'valid' && failed.failures === 0)
        await this.#patiently(manager.attempt(key));
      return this.#usable(key);
    } catch (error) {
      // Nothing is known of the name: the next handshake asks again, within the rate.
      this.#parts.failed(name, asAcmeError(error));
      return null;
    }
  }

  /** A temporary certificate is no use here: a client that gets none tries again. */
  #usable(key: string): ServedPair | null {
    const pair = this.#parts.manager.pair(key);
    return pair === null || pair.temporary ? null : pair;
  }

  #patiently(attempt: Promise<void>): Promise<void> {
    const { clock, patience } = this.#parts;
    return new Promise((resolve) => {
      const timer = clock.after(patience, resolve);
      void attempt.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #enter(name: string, key: string): void {
    const { manager, clock, most } = this.#parts;
    if (!this.#known.has(name) && this.#known.size >= most) {
      const [oldest] = this.#known;
      this.#known.delete(oldest![0]);
      manager.drop(oldest![1].key);
    }
    this.#known.set(name, { key, used: clock.now() });
  }

  #refuse(name: string): void {
    if (this.#refused.size >= MOST_REFUSED) this.#refused.delete(this.#refused.keys().next().value!);
    this.#refused.set(name, this.#parts.clock.now() + REFUSED);
  }

  /** An issuer that asks again before it renews: a name may have gone, or no client uses it. */
  #asked(issuer: Issuer): Issuer {
    const { ask, clock } = this.#parts;
    return {
      name: issuer.name,
      identity: issuer.identity,
      advice: (certificate) => issuer.advice(certificate),
      revoke: (certificate, reason) => issuer.revoke(certificate, reason),
      issue: async (request) => {
        const [name = ''] = request.names;
        const known = this.#known.get(name);
        const idle = known === undefined || clock.now() - known.used > IDLE;
        if (idle || (request.previous !== null && !(await ask(name)))) {
          if (known !== undefined) this.#parts.manager.drop(known.key);
          this.#known.delete(name);
          throw new AcmeError('denied', `${name} is not used, or not allowed any more`);
        }
        return issuer.issue(request);
      },
    };
  }
}
