/** The certificates that are obtained, in one state directory: their manager, issuers and names on demand. Cold. */
import { join } from 'node:path';
import type { PendingChallenges } from '../../acme/challenges/responder.ts';
import { AcmeError } from '../../acme/client/acme-error.ts';
import { InternalIssuer } from '../../acme/internal-issuer.ts';
import type { Issuer } from '../../acme/issuer.ts';
import { type CertificateSpec, type CertificateStatus, keyOf } from '../../acme/managed-certificate.ts';
import { CertificateManager } from '../../acme/manager.ts';
import type { CertificateObserver } from '../../acme/observer.ts';
import { askEndpoint, OnDemand } from '../../acme/on-demand.ts';
import { SharedChallenges } from '../../acme/shared-challenges.ts';
import { CertificateStore } from '../../acme/store.ts';
import type { CertificatePair, LiveCertificate } from '../../kit/certificate.ts';
import type { Clock } from '../../kit/clock.ts';
import { deepEqual } from '../../kit/deep-equal.ts';
import { systemDisk } from '../../kit/disk.ts';
import type { Random } from '../../kit/random.ts';
import type { OnDemandCertificates } from '../../net/tls/server-tls.ts';
import type { Log } from '../../observe/log.ts';
import type { Plan } from '../../plan/types.ts';
import type { IssuerPlan, OnDemandPlan, OriginPlan } from '../../plan/types/acme.ts';
import type { IssuedCertificatePlan } from '../../plan/types/tls.ts';
import { makeIssuer, operatorClient } from './issuers.ts';
import { describe, ManagedPair } from './live-certificate.ts';

export interface EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly challenges: PendingChallenges;
  readonly observer: CertificateObserver;
}

/** For a question to the operator's endpoint (ms). */
const ASK_TIMEOUT = 5000;

interface Demand {
  /** The listener, what it wants, and its issuers: an equal one goes on through reloads. */
  readonly shape: readonly [string, OnDemandPlan, readonly IssuerPlan[]];
  readonly onDemand: OnDemand;
}

export class CertificateEngine {
  /** The state directory. */
  readonly path: string;
  readonly #parts: EngineParts;
  readonly #store: CertificateStore;
  readonly #manager: CertificateManager;
  readonly #shared: SharedChallenges;
  readonly #stop = new AbortController();
  /** By name: those of the newest plan that was bound. */
  readonly #issuers = new Map<string, { readonly plan: IssuerPlan; readonly issuer: Issuer }>();
  /** Those of the plan in effect, and of one that is bound. */
  #demands: Demand[] = [];

  constructor(path: string, parts: EngineParts) {
    const { clock, random, observer } = parts;
    this.path = path;
    this.#parts = parts;
    this.#store = new CertificateStore(join(path, 'acme'), systemDisk);
    this.#shared = new SharedChallenges(this.#store, clock, parts.challenges);
    this.#manager = new CertificateManager({ store: this.#store, clock, random, observer });
  }

  live(plan: IssuedCertificatePlan, { issuers }: Plan): LiveCertificate {
    const spec = this.#specOf(plan, plan.names, issuers);
    const keyType = plan.keyType.startsWith('rsa') ? 'rsa' : 'ec';
    return new ManagedPair(this.#manager, keyOf(spec), plan.names, keyType);
  }

  onDemand(listener: string, plan: OnDemandPlan, { issuers }: Plan): OnDemandCertificates {
    const { onDemand } = this.#demandOf(listener, plan, issuers);
    const described = (served: ReturnType<OnDemand['find']>): CertificatePair | null =>
      served === null ? null : describe(served);
    return {
      wait: plan.wait,
      find: (name) => described(onDemand.find(name)),
      obtain: async (name) => described(await onDemand.obtain(name)),
    };
  }

  /** Resolves when each certificate of the plan has a pair. */
  async prepare(plan: Plan): Promise<void> {
    // A directory that can't be written is reported by the manager.
    await this.#shared.live().catch(() => {});
    await this.#manager.prepare(this.#specsOf(plan));
  }

  /** The plan is in effect. */
  follow(plan: Plan): void {
    this.#manager.follow(this.#specsOf(plan));
    const wanted = new Set(
      plan.listeners.flatMap(({ name, tls }) =>
        tls?.onDemand == null ? [] : [this.#demandOf(name, tls.onDemand, plan.issuers)],
      ),
    );
    for (const one of this.#demands) if (!wanted.has(one)) one.onDemand.close();
    this.#demands = [...wanted];
  }

  statuses(): CertificateStatus[] {
    return this.#manager.all();
  }

  keyOf(plan: IssuedCertificatePlan, { issuers }: Plan): string {
    return keyOf(this.#specOf(plan, plan.names, issuers));
  }

  renew(key: string): boolean {
    return this.#manager.renew(key);
  }

  revoke(key: string, reason: number): Promise<void> {
    return this.#manager.revoke(key, reason);
  }

  /** The root of the internal issuer, in PEM; null: the plan has no such issuer. */
  async root(): Promise<string | null> {
    for (const { issuer } of this.#issuers.values())
      if (issuer instanceof InternalIssuer) return (await issuer.root()).cert;
    return null;
  }

  async close(): Promise<void> {
    for (const { onDemand } of this.#demands) onDemand.close();
    this.#stop.abort(new AcmeError('stopped', 'the gateway stops'));
    await this.#manager.close();
    await this.#shared.close();
  }

  #specsOf({ certificates, issuers }: Plan): CertificateSpec[] {
    return certificates.flatMap((one) => (one.type === 'issued' ? [this.#specOf(one, one.names, issuers)] : []));
  }

  #specOf(
    { issuers: names, keyType }: OriginPlan,
    hosts: readonly string[],
    issuers: readonly IssuerPlan[],
  ): CertificateSpec {
    const found = names.map((name) => this.#issuer(issuers.find((one) => one.name === name)!));
    return { names: hosts, keyType, issuers: found };
  }

  /** An issuer that has not changed keeps its account and nonces. */
  #issuer(plan: IssuerPlan): Issuer {
    const known = this.#issuers.get(plan.name);
    if (known !== undefined && deepEqual(known.plan, plan)) return known.issuer;
    const issuer = makeIssuer(plan, this.#context);
    this.#issuers.set(plan.name, { plan, issuer });
    return issuer;
  }

  #demandOf(listener: string, plan: OnDemandPlan, issuers: readonly IssuerPlan[]): Demand {
    const used = issuers.filter(({ name }) => plan.issuers.includes(name));
    const shape = [listener, plan, used] as const;
    const known = this.#demands.find((one) => deepEqual(one.shape, shape));
    if (known !== undefined) return known;
    const { clock, log } = this.#parts;
    const { ask, names, rate, per, wait } = plan;
    const made = new OnDemand({
      manager: this.#manager,
      ask: askEndpoint(ask, operatorClient(ASK_TIMEOUT, this.#context)),
      keyType: plan.keyType,
      issuers: this.#specOf(plan, [], issuers).issuers,
      clock,
      most: names,
      rate,
      per,
      patience: wait,
      failed: (name, { code, message }) =>
        log.warn('it could not be found out whether a name may have a certificate', { name, code, reason: message }),
    });
    const demand = { shape, onDemand: made };
    this.#demands.push(demand);
    return demand;
  }

  get #context() {
    const { clock, log, challenges } = this.#parts;
    return { store: this.#store, shared: this.#shared, challenges, clock, log, stop: this.#stop.signal };
  }
}
