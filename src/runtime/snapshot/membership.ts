/**
 * The endpoints of a pool: those in the config, and those found by its DNS names, which come and go. Cold.
 *
 * bind.ts makes one with each pool. It claims each endpoint from the state registry, so that an endpoint that is found
 * again, or by another generation's pool, keeps its state. It sets the pool's endpoints as a whole, in one assignment.
 * A removed endpoint gets no new requests and is held until its running exchanges have ended.
 */
import { CLIENT_PROTOCOLS } from '../../http/client-codecs.ts';
import { ClientTls } from '../../net/tls/client-tls.ts';
import { claimBefore } from '../../plan/claims.ts';
import { endpointFound } from '../../plan/pools.ts';
import { stickyId } from '../../plan/sticky.ts';
import type { EndpointPlan, PoolPlan } from '../../plan/types/pool.ts';
import type { DnsNamePlan } from '../../plan/types/dns.ts';
import { ActiveCheck } from '../../upstream/active-check.ts';
import { EndpointState, type EndpointTuning } from '../../upstream/endpoint.ts';
import type { EndpointTlsTuning } from '../../upstream/endpoint-tls.ts';
import type { Member } from '../../upstream/endpoint-set.ts';
import type { PoolLoad } from '../../upstream/load.ts';
import type { Found } from '../../upstream/name-lookup.ts';
import { Pool } from '../../upstream/pool.ts';
import { Resolution } from '../../upstream/resolution.ts';
import { bindStrategy } from '../../upstream/strategies/index.ts';
import type { BindContext } from './bind.ts';

/** A removed endpoint with running exchanges. */
interface Leaving {
  readonly member: Member;
  readonly unwatch: () => void;
}

export class Membership {
  readonly #plan: PoolPlan;
  readonly #load: PoolLoad;
  readonly #tls: ClientTls | null;
  readonly #context: BindContext;
  readonly #configured: Member[] = [];
  /** The names in this config; their resolutions may be older. */
  readonly #names: { readonly name: DnsNamePlan; readonly resolution: Resolution }[] = [];
  /** By address. */
  #found = new Map<string, Member>();
  readonly #leaving = new Map<string, Leaving>();
  readonly #unuse: (() => void)[] = [];
  #pool: Pool | null = null;

  constructor(plan: PoolPlan, load: PoolLoad, context: BindContext) {
    this.#plan = plan;
    this.#load = load;
    this.#tls = plan.tls === null ? null : new ClientTls(plan.tls, CLIENT_PROTOCOLS, context.shared.secureContexts);
    this.#context = context;
  }

  /** Makes the pool. Call it once; `close` is required even if it throws. */
  open(): Pool {
    const { endpoints, sticky, strategy, dns } = this.#plan;
    const { clock, random, firstTurns, shared } = this.#context;
    endpoints.forEach((endpoint, i) => this.#configured.push(this.#claim(endpoint, 0, null, sticky?.ids[i] ?? '')));
    for (const name of dns?.names ?? []) this.#names.push({ name, resolution: this.#resolutionOf(name) });
    this.#found = this.#claimFound();
    const pool = new Pool(this.#plan, this.#members, {
      load: this.#load,
      clock,
      deadlines: shared.deadlines,
      random,
      strategy: (candidates) => bindStrategy(strategy, candidates, { random, firstTurns }),
      tls: this.#tls,
    });
    this.#pool = pool;
    if (this.#names.length === 0) return pool;
    for (const { resolution } of this.#names) this.#unuse.push(resolution.use(this.#changed));
    this.#load.suspecting.add(this.#suspect);
    this.#unuse.push(() => this.#load.suspecting.delete(this.#suspect));
    return pool;
  }

  get #members(): Member[] {
    return [...this.#configured, ...this.#found.values()];
  }

  /** The pool has no references left. */
  close(): void {
    for (const unuse of this.#unuse) unuse();
    this.#pool?.close();
    for (const text of this.#leaving.keys()) this.#stay(text);
    for (const member of this.#members.toReversed()) {
      this.#releaseCheck(member);
      this.#release(member);
    }
    for (const { name } of this.#names.toReversed()) this.#context.registry.release(name.claim);
  }

  #resolutionOf(name: DnsNamePlan): Resolution {
    const { registry, clock, random, metrics, names } = this.#context;
    const pool = this.#plan.name;
    const parts = { pool, clock, random, metrics: metrics.name(pool, name.name), told: names };
    const before = claimBefore(name.claim, pool, this.#plan.renamedFrom);
    return registry.acquire(name.claim, () => new Resolution(name, this.#plan.dns!, parts), before);
  }

  #claim(plan: EndpointPlan, priority: number, name: Found | null, cookie: string): Member {
    const { registry, clock, random, metrics, shared, healthChanged } = this.#context;
    const { address, claim, check } = plan;
    const { name: pool, renamedFrom } = this.#plan;
    const makeState = (): EndpointState => {
      const parts = { pool, clock, random, deadlines: shared.deadlines, load: this.#load, changed: healthChanged };
      const tuning = tuningOf(this.#plan, this.#tls, plan);
      return new EndpointState(address, tuning, { ...parts, metrics: metrics.endpoint(pool, address.text) });
    };
    const state = registry.acquire(claim, makeState, claimBefore(claim, pool, renamedFrom));
    const { active } = this.#plan.health;
    if (active === null || check === null)
      return { plan, state, priority, cookie, check: null, name: name?.host ?? null };
    const checkPlan = { ...active, host: active.host ?? plan.host };
    const before = claimBefore(check, pool, renamedFrom);
    registry.acquire(check, () => new ActiveCheck(state, checkPlan, clock, random), before);
    return { plan, state, priority, cookie, check: { claim: check, plan: checkPlan }, name: name?.host ?? null };
  }

  /** Claims a member for each address behind the names, by address. Addresses that the config lists are skipped. */
  #claimFound(): Map<string, Member> {
    const found = new Map<string, Member>();
    const configured = new Set(this.#configured.map(({ plan }) => plan.address.text));
    for (const { resolution, name } of this.#names) {
      for (const one of resolution.found) {
        if (!found.has(one.text) && !configured.has(one.text)) found.set(one.text, this.#claimOne(one, name));
      }
    }
    return found;
  }

  #claimOne(found: Found, name: DnsNamePlan): Member {
    const { name: pool, sticky, tls } = this.#plan;
    const plan = endpointFound(pool, found.text, found.host, name, name.weight * found.weight, tls !== null);
    const cookie = sticky === null ? '' : stickyId(found.text, sticky.addressKey);
    return this.#claim(plan, found.priority, found, cookie);
  }

  /** The addresses behind the names have changed. */
  readonly #changed = (): void => {
    const old = this.#found;
    this.#found = this.#claimFound();
    this.#pool?.replaceEndpoints(this.#members);
    const current = this.#context.current()?.pools.get(this.#plan.name)?.value === this.#pool;
    for (const [text, member] of this.#found) {
      this.#stay(text);
      if (current && !old.has(text)) tuneMember({ plan: this.#plan, tls: this.#tls }, member, this.#context);
    }
    for (const [text, member] of old) {
      // An endpoint that is found again has been claimed a second time.
      this.#releaseCheck(member, current && !this.#found.has(text));
      if (this.#found.has(text) || member.state.active === 0) this.#release(member);
      else this.#leave(text, member);
    }
  };

  /** Holds the endpoint until its running exchanges have ended. */
  #leave(text: string, member: Member): void {
    const { state } = member;
    const watcher = (): void => {
      if (state.active > 0) return;
      this.#stay(text);
    };
    state.watch(watcher);
    this.#leaving.set(text, { member, unwatch: () => state.unwatch(watcher) });
  }

  /** Stops holding a removed endpoint: its exchanges have ended, or it has come back. */
  #stay(text: string): void {
    const leaving = this.#leaving.get(text);
    if (leaving === undefined) return;
    this.#leaving.delete(text);
    leaving.unwatch();
    this.#release(leaving.member);
  }

  #release({ plan: { claim, address } }: Member): void {
    const { registry, metrics } = this.#context;
    registry.release(claim);
    if (registry.peek(claim) === undefined) metrics.forgetEndpoint(this.#plan.name, address.text);
  }

  /** `stop`: no current pool needs the check, though an older pool may still hold it. */
  #releaseCheck({ check }: Member, stop = false): void {
    if (check === null) return;
    const { registry } = this.#context;
    registry.release(check.claim);
    const held = stop ? registry.peek(check.claim) : undefined;
    if (held instanceof ActiveCheck) held.stop();
  }

  readonly #suspect = (endpoint: EndpointState): void => {
    if (this.#found.get(endpoint.address.text)?.state !== endpoint) return;
    for (const { resolution } of this.#names)
      if (resolution.found.some(({ text }) => text === endpoint.address.text)) resolution.suspect();
  };
}

function tuningOf(
  pool: PoolPlan,
  client: ClientTls | null,
  { host, serverName, maxConnections, maxRequests }: EndpointPlan,
): EndpointTuning {
  const { keepalive, health, responses, timeouts } = pool;
  const tls = client === null ? null : { client, ...namesOf(pool.tls!.serverName, serverName) };
  return { keepalive, health, responses, host, tls, maxConnections, maxRequests, connectTimeout: timeouts.connect };
}

/** `own`: the endpoint's name. */
function namesOf(name: string | null, own: string): Pick<EndpointTlsTuning, 'serverName' | 'fromHost'> {
  const fromHost = name === 'from_host';
  return { serverName: name === null || fromHost ? own : name, fromHost };
}

/** Applies the tuning to the kept state of an endpoint in a current pool. */
export function tuneMember(
  { plan: pool, tls }: Pick<Pool, 'plan' | 'tls'>,
  { plan, state, check }: Member,
  { registry, metrics }: BindContext,
): void {
  if (state.pool !== pool.name) {
    state.pool = pool.name;
    state.metrics = metrics.endpoint(pool.name, state.address.text);
  }
  state.tune(tuningOf(pool, tls, plan));
  const held = check === null ? undefined : registry.peek(check.claim);
  if (held instanceof ActiveCheck) held.tune(check!.plan);
}
