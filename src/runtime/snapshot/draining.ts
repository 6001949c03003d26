/**
 * Ends the leases that remain on a generation that is no longer current. Cold.
 *
 *     retired ── leases that migrate to the next leave here ──▶ deadline − spread ──▶ deadline
 *                                                                one after the other    the rest
 *
 * One per retired snapshot, made by gateway.ts. The drain rule of a lease is that of its route, else of its listener,
 * else of the gateway, in the config of its own generation. Leases under the same rule form one group.
 */
import type { Clock, Timer } from '../../kit/clock.ts';
import type { DrainMetrics, Tightened } from '../../observe/metrics.ts';
import type { DrainPlan } from '../../plan/types/drain.ts';
import {
  ABORT,
  DENIED_GOODBYE,
  type Termination,
  GOODBYE,
  type Leaseholder,
  type MigrationBlocker,
} from '../../proxy/listener-context.ts';
import type { Snapshot } from './snapshot.ts';

/** Milliseconds between two steps of a spread. */
const STEP = 50;

const DENIALS: ReadonlySet<MigrationBlocker> = new Set(['denied_by_listener', 'denied_by_policy', 'over_limit']);

export interface DrainingParts {
  readonly clock: Clock;
  readonly metrics: DrainMetrics;
  /** Called when the deadline ends the first of so many leases. */
  readonly onDeadline: (leases: number) => void;
}

export class Draining {
  readonly snapshot: Snapshot;
  readonly #parts: DrainingParts;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<Leaseholder, Group>();
  /** Leases told to end: a goodbye may take a moment. */
  readonly #told = new Set<Leaseholder>();
  /** Leases that the newest config would refuse, and the action chosen for each. */
  readonly #denied = new Map<Leaseholder, Tightened>();
  /**
   * Read from the plan when the first lease can't migrate: there may be many routes, and most reloads leave no lease
   * behind.
   */
  #overrides: Record<'listeners' | 'routes', Overrides> | null = null;

  constructor(snapshot: Snapshot, parts: DrainingParts) {
    this.snapshot = snapshot;
    this.#parts = parts;
  }

  /**
   * Handles a lease that could not migrate: it is drained, or treated as `tightened` says if the newest config would
   * refuse it.
   */
  settle(holder: Leaseholder, blocker: MigrationBlocker, tightened: Tightened): void {
    if (DENIALS.has(blocker)) {
      if (this.#denied.get(holder) === tightened) return;
      this.#denied.set(holder, tightened);
      this.#parts.metrics.tightened[tightened]++;
      if (tightened === 'cut') {
        this.#told.add(holder);
        this.#parts.metrics.ended.denied++;
        holder.abort(DENIED_GOODBYE);
        return;
      }
      if (tightened === 'keep') {
        this.#leave(holder);
        return;
      }
    } else this.#denied.delete(holder);
    if (!this.#groupOf.has(holder)) this.#join(holder);
  }

  #join(holder: Leaseholder): void {
    const { listener, route } = holder.view();
    const { reload, listeners, routes } = this.snapshot.plan;
    this.#overrides ??= { listeners: overridesOf(listeners), routes: overridesOf(routes) };
    const own = this.#overrides;
    const plan: DrainPlan = { ...reload.drain, ...own.listeners.get(listener), ...own.routes.get(route) };
    const key = JSON.stringify(plan);
    let group = this.#groups.get(key);
    if (group === undefined || group.over) {
      group = new Group(plan, this.snapshot, this.#told, this.#parts);
      this.#groups.set(key, group);
    }
    group.holders.add(holder);
    this.#groupOf.set(holder, group);
  }

  #leave(holder: Leaseholder): void {
    this.#groupOf.get(holder)?.holders.delete(holder);
    this.#groupOf.delete(holder);
  }

  /** The latest time at which the lease is ended (monotonic ms); Infinity: never. */
  deadlineOf(holder: Leaseholder): number {
    return this.#groupOf.get(holder)?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Ends everything now: there are too many generations. */
  end(): void {
    for (const holder of this.snapshot.holders) {
      if (this.#told.has(holder)) continue;
      this.#told.add(holder);
      this.#parts.metrics.ended.max_generations++;
      holder.abort(GOODBYE);
    }
  }

  /** The snapshot has ended. */
  close(): void {
    for (const group of this.#groups.values()) group.close();
  }
}

type Overrides = ReadonlyMap<string, Partial<DrainPlan>>;

function overridesOf(
  plans: readonly {
    readonly name: string;
    readonly drain: { readonly [K in keyof DrainPlan]: DrainPlan[K] | null } | null;
  }[],
): Overrides {
  const overrides = new Map<string, Partial<DrainPlan>>();
  for (const { name, drain } of plans) {
    if (drain === null) continue;
    overrides.set(name, Object.fromEntries(Object.entries(drain).filter(([, value]) => value !== null)));
  }
  return overrides;
}

/** Leases that end under the same rule. */
class Group {
  readonly holders = new Set<Leaseholder>();
  readonly deadline: number;
  over = false;
  readonly #spread: number;
  readonly #snapshot: Snapshot;
  readonly #told: Set<Leaseholder>;
  readonly #parts: DrainingParts;
  readonly #end: Termination;
  #timer: Timer | null = null;
  /** The number of leases when the first was ended. */
  #count = 0;

  constructor(
    { deadline, action, spread }: DrainPlan,
    snapshot: Snapshot,
    told: Set<Leaseholder>,
    parts: DrainingParts,
  ) {
    const { clock } = parts;
    this.#snapshot = snapshot;
    this.#told = told;
    this.#parts = parts;
    this.#end = action === 'goodbye' ? GOODBYE : ABORT;
    this.#spread = Math.min(spread, deadline / 2);
    this.deadline = action === 'finish' ? Number.POSITIVE_INFINITY : clock.now() + deadline;
    if (action !== 'finish') this.#timer = clock.after(deadline - this.#spread, () => this.#begin());
  }

  #begin(): void {
    this.#sweep();
    this.#count = this.holders.size;
    if (this.#count > 0) this.#parts.onDeadline(this.#count);
    if (this.#end === GOODBYE) for (const holder of this.holders) holder.leaving();
    this.#step();
  }

  /** Drops leases that have ended or migrated to another generation. */
  #sweep(): void {
    for (const holder of this.holders) if (!this.#snapshot.has(holder)) this.holders.delete(holder);
  }

  /** Ends as many leases as are due by now. */
  #step(): void {
    const left = this.deadline - this.#parts.clock.now();
    const share = this.#spread === 0 || left <= 0 ? 0 : Math.min(1, left / this.#spread);
    const shared = Math.ceil(this.#count * share);
    this.#sweep();
    for (const holder of this.holders) {
      if (this.holders.size <= shared) break;
      this.holders.delete(holder);
      if (this.#told.has(holder)) continue;
      this.#told.add(holder);
      this.#parts.metrics.ended.deadline++;
      holder.abort(this.#end);
    }
    this.over = share === 0;
    this.#timer = this.over ? null : this.#parts.clock.after(Math.min(STEP, left), () => this.#step());
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.over = true;
  }
}
