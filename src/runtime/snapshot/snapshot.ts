/**
 * A snapshot: one plan with all its live objects, immutable except for the count of its leases. Leasing is hot.
 *
 * bind.ts makes it, gateway.ts makes it current and retires it for the next one. It ends when it is retired and its
 * last lease is released; then it releases its claims, last first.
 */
import type { RefCounted } from '../../kit/ref-counted.ts';
import { NOWHERE, Places } from '../../kit/places.ts';
import type { Transport } from '../../net/transport.ts';
import { Succession } from '../../plan/succession.ts';
import type { ListenerPlan, Plan, RoutePlan } from '../../plan/types.ts';
import type { BoundPolicy } from '../../policies/index.ts';
import type { ConnectionTable } from '../../proxy/connection-table.ts';
import { HttpListener } from '../../proxy/http-listener.ts';
import type {
  Termination,
  HttpListenerContext,
  Leaseholder,
  MigrationBlocker,
  RelayContext,
  Route,
  Successor,
} from '../../proxy/listener-context.ts';
import type { Pool } from '../../upstream/pool.ts';

export interface BoundListener extends RelayContext {
  readonly table: ConnectionTable;
  accept(transport: Transport): void;
}

/** A route, its plan, and its policies in order. */
export interface BoundRoute {
  /** The newest of the equal plans, so that no older plan stays in memory. */
  plan: RoutePlan;
  readonly route: Route;
  readonly policies: readonly RefCounted<BoundPolicy>[];
}

export class Snapshot implements Successor {
  readonly generation: number;
  readonly plan: Plan;
  /** Epoch ms. */
  readonly boundAt: number;
  readonly listeners = new Map<string, BoundListener>();
  /** Pools and routes that a reload does not change are the same objects in the next snapshot. */
  readonly pools = new Map<string, RefCounted<Pool>>();
  readonly routes = new Map<string, RefCounted<BoundRoute>>();
  /** The policies of listeners, in order. */
  readonly listenerPolicies = new Map<string, readonly RefCounted<BoundPolicy>[]>();
  readonly #holders = new Places<Leaseholder>();
  readonly #releases: (() => void)[] = [];
  #succession: Succession | null = null;
  #retired = false;
  /** Its resources have been released. */
  #over = false;
  #ended: (() => void) | null = null;

  constructor(generation: number, plan: Plan, boundAt: number) {
    this.generation = generation;
    this.plan = plan;
    this.boundAt = boundAt;
  }

  get leases(): number {
    return this.#holders.size;
  }

  get retired(): boolean {
    return this.#retired;
  }

  lease(holder: Leaseholder): void {
    holder.leasePlace = this.#holders.enter(holder);
  }

  release(holder: Leaseholder): void {
    const place = holder.leasePlace;
    if (place === NOWHERE) return;
    holder.leasePlace = NOWHERE;
    this.#left(place);
  }

  #left(place: number): void {
    this.#holders.leave(place);
    if (this.#retired && this.#holders.size === 0) this.#end();
  }

  /** For bind.ts: calls `release` when the snapshot ends, in reverse order. */
  onEnd(release: () => void): void {
    this.#releases.push(release);
  }

  keepPool(pool: RefCounted<Pool>): void {
    pool.hold();
    this.pools.set(pool.value.name, pool);
  }

  keepRoute(route: RefCounted<BoundRoute>): void {
    route.hold();
    this.routes.set(route.value.plan.name, route);
  }

  keepListenerPolicies(listener: string, policies: readonly RefCounted<BoundPolicy>[]): void {
    this.listenerPolicies.set(listener, policies);
    for (const policy of policies) this.onEnd(() => policy.release());
  }

  // === as the successor of older ones

  /** The listener that succeeds a listener of an older snapshot. */
  successorOf(old: ListenerPlan): BoundListener | null {
    this.#succession ??= new Succession(this.plan.listeners);
    const name = this.#succession.of(old)?.name;
    return name === undefined ? null : (this.listeners.get(name) ?? null);
  }

  http(old: ListenerPlan): HttpListenerContext | null {
    const listener = this.successorOf(old);
    return listener instanceof HttpListener ? listener : null;
  }

  relay(old: ListenerPlan): RelayContext | null {
    const listener = this.successorOf(old);
    return listener?.plan.protocol === old.protocol ? listener : null;
  }

  route(name: string): Route | null {
    return this.routes.get(name)?.value.route ?? null;
  }

  pool(name: string): Pool | null {
    return this.pools.get(name)?.value ?? null;
  }

  // === as a retired snapshot

  /** All its leaseholders. The iteration skips leases released meanwhile. */
  get holders(): Iterable<Leaseholder> {
    return this.#holders;
  }

  has(holder: Leaseholder): boolean {
    return this.#holders.at(holder.leasePlace) === holder;
  }

  /** Moves a lease to the next snapshot unless a blocker prevents it; returns the blocker. `excess`: over a limit. */
  migrateLease(holder: Leaseholder, next: Snapshot, excess: boolean): MigrationBlocker | null {
    const blocker = excess ? 'over_limit' : holder.migrate(next);
    holder.blocker = blocker;
    if (blocker === null) {
      const place = holder.leasePlace;
      next.lease(holder);
      this.#left(place);
    }
    return blocker;
  }

  /** The snapshot is no longer current, or never was. Calls `ended` when it has no leases left. */
  retire(ended: () => void): void {
    this.#retired = true;
    this.#ended = ended;
    if (this.#holders.size === 0) this.#end();
  }

  /** Aborts everything that still runs on it. */
  abort(end: Termination): void {
    for (const holder of this.#holders) holder.abort(end);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    for (const release of this.#releases.toReversed()) release();
    for (const route of this.routes.values()) route.release();
    for (const pool of this.pools.values()) pool.release();
    const ended = this.#ended;
    this.#ended = null;
    ended?.();
  }
}
