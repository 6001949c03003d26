/**
 * Keeps the generations that are no longer current until their leases have ended. Cold.
 *
 * One per gateway. After each commit it migrates the leases that the new snapshot would serve in the same way, leaves
 * the rest to drain, and limits the number of generations.
 */
import type { Clock } from '../../kit/clock.ts';
import type { TimeSlicer } from '../../kit/time-slicing.ts';
import type { Events } from '../../observe/events.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics, Tightened } from '../../observe/metrics.ts';
import type { Leaseholder } from '../../proxy/listener-context.ts';
import { Draining } from './draining.ts';
import type { Snapshot } from './snapshot.ts';

export interface RetirementParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly events: Events;
}

export class Retirement {
  readonly #parts: RetirementParts;
  /** In the order of retirement. */
  readonly #retired: Draining[] = [];
  /** The callers that wait until no lease runs on a generation older than theirs. */
  #waiting: readonly { readonly done: () => void; readonly generation: number }[] = [];

  constructor(parts: RetirementParts) {
    this.#parts = parts;
  }

  /** Newest first. */
  get snapshots(): Snapshot[] {
    return this.#retired.map(({ snapshot }) => snapshot).toReversed();
  }

  drainingOf(snapshot: Snapshot): Draining | null {
    return this.#retired.find((draining) => draining.snapshot === snapshot) ?? null;
  }

  /** Calls `done` once when no lease runs on a generation before this one. Returns a function that stops waiting. */
  whenAlone(generation: number, done: () => void): () => void {
    const one = { done, generation };
    this.#waiting = [...this.#waiting, one];
    this.#callAlone();
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== one);
    };
  }

  #callAlone(): void {
    const oldest = Math.min(...this.#retired.map(({ snapshot }) => snapshot.generation));
    const due = this.#waiting.filter(({ generation }) => generation <= oldest);
    this.#waiting = this.#waiting.filter(({ generation }) => generation > oldest);
    for (const { done } of due) done();
  }

  /** The snapshot is no longer current. */
  retire(snapshot: Snapshot): void {
    const { clock, log, metrics } = this.#parts;
    const { generation } = snapshot;
    const draining = new Draining(snapshot, {
      clock,
      metrics: metrics.drain,
      onDeadline: (leases) => log.warn('generation ended at its drain deadline', { generation, leases }),
    });
    this.#retired.push(draining);
    snapshot.retire(() => {
      draining.close();
      this.#retired.splice(this.#retired.indexOf(draining), 1);
      log.debug('generation ended', { generation });
      this.#callAlone();
    });
  }

  /** Called when a newer snapshot is current: migrates every lease that it would serve in the same way. */
  async handOver(next: Snapshot, slicer: TimeSlicer): Promise<void> {
    const { metrics } = this.#parts;
    const { tightened } = next.plan.reload;
    const before = { ...metrics.drain.tightened };
    const excess = tightened === 'keep' ? new Set<object>() : excessOf(next);
    const move = (old: Snapshot, draining: Draining, holder: Leaseholder): void => {
      let over = holder.held !== null && excess.has(holder.held);
      if (over && tightened === 'drain' && holder.view().kind === 'exchange') {
        // The connection exceeds the limit, not its request: the request is finished.
        metrics.drain.tightened.drain++;
        holder.leaving();
        over = false;
      }
      const blocker = old.migrateLease(holder, next, over);
      if (blocker === null) metrics.drain.migrated++;
      else draining.settle(holder, blocker, tightened);
    };
    // A generation ends, and leaves the list, when its last lease has migrated.
    for (const draining of this.#retired.slice())
      await slicer.each(draining.snapshot.holders, (holder) => move(draining.snapshot, draining, holder));
    this.#tell(next, before);
    this.#limit(next);
  }

  #tell({ generation }: Snapshot, before: Readonly<Record<Tightened, number>>): void {
    const { clock, log, metrics, events } = this.#parts;
    for (const action of ['keep', 'drain', 'cut'] as const) {
      const count = metrics.drain.tightened[action] - before[action];
      if (count === 0) continue;
      log.warn('the new config refuses running streams', { generation, action, count });
      events.emit({ time: new Date(clock.wall()).toISOString(), type: 'tightened', generation, action, count });
    }
  }

  #limit({ plan, generation }: Snapshot): void {
    const tooMany = Math.max(0, this.#retired.length + 1 - plan.reload.maxGenerations);
    for (const draining of this.#retired.slice(0, tooMany)) {
      const { leases, generation: ended } = draining.snapshot;
      this.#parts.log.warn('too many generations: the oldest is ended early', { generation, ended, leases });
      draining.end();
    }
  }
}

/** The newest connections beyond the listeners' new limits; idle ones are ended at once. */
function excessOf(next: Snapshot): Set<object> {
  const excess = new Set<object>();
  for (const { plan, table } of next.listeners.values())
    for (const one of table.beyond(plan.limits.connections, plan.limits.connectionsPerClient)) excess.add(one);
  return excess;
}
