/**
 * A snapshot: one plan with everything live that it needs, immutable but for the count of its leases. Hot to lease.
 *
 * Made by bind.ts, made current by gateway.ts, retired when the next one is. It ends when it has been retired and its
 * last lease is released; then what it claimed is given back, last first.
 */
import type { Transport } from '../net/transport.ts';
import type { Plan } from '../plan/types.ts';
import type { ConnectionTable } from '../proxy/connection-table.ts';
import type { Lease, Leaseholder } from '../proxy/live.ts';
import type { Pool } from '../upstream/pool.ts';

export interface BoundListener {
  readonly table: ConnectionTable;
  accept(transport: Transport): void;
}

export class Snapshot implements Lease {
  readonly generation: number;
  readonly plan: Plan;
  /** Epoch ms. */
  readonly boundAt: number;
  readonly listeners = new Map<string, BoundListener>();
  readonly pools = new Map<string, Pool>();
  readonly #holders = new Set<Leaseholder>();
  readonly #releases: (() => void)[] = [];
  #retired = false;
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
    this.#holders.add(holder);
  }

  release(holder: Leaseholder): void {
    this.#holders.delete(holder);
    if (this.#retired && this.#holders.size === 0) this.#end();
  }

  /** For bind.ts: `release` is called when the snapshot ends, in reverse order. */
  onEnd(release: () => void): void {
    this.#releases.push(release);
  }

  /** It is not current any more, or never became so. `ended` is called when nothing runs on it. */
  retire(ended: () => void): void {
    this.#retired = true;
    this.#ended = ended;
    if (this.#holders.size === 0) this.#end();
  }

  /** Ends everything that still runs on it. */
  cut(): void {
    for (const holder of this.#holders) holder.cut();
  }

  #end(): void {
    for (const release of this.#releases.toReversed()) release();
    this.#releases.length = 0;
    const ended = this.#ended;
    this.#ended = null;
    ended?.();
  }
}
