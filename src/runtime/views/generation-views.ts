/** Every live generation and its leases: how many, since when, and why they remain. Cold. */
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { Leaseholder, LeaseView } from '../../proxy/listener-context.ts';
import type { Gateway } from '../gateway.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** Counts by name. */
type Counts = Record<string, number>;

export interface OldestLease extends Omit<LeaseView, 'startedAt' | 'bytesIn' | 'bytesOut'> {
  readonly age_s: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  /** The reason why it stays on its generation; '': the generation is the current one. */
  readonly pinned_by: string;
  /** The longest time until it is ended; null: no limit. */
  readonly ends_in_s: number | null;
}

export interface GenerationView {
  readonly generation: number;
  readonly state: 'active' | 'draining';
  /** ISO time. */
  readonly since: string;
  readonly age_s: number;
  readonly leases: number;
  readonly by_kind: Counts;
  readonly by_listener: Counts;
  readonly by_route: Counts;
  readonly by_endpoint: Counts;
  /** The bytes so far of running leases. */
  readonly bytes_in: number;
  readonly bytes_out: number;
  /** The reasons why they can't migrate to the current generation. */
  readonly pinned_by: Counts;
  /** The time until the last of them is ended; null: never, or there are none. */
  readonly ends_in_s: number | null;
  readonly oldest: OldestLease | null;
}

/** Newest first. */
export async function generationViews(gateway: Gateway): Promise<GenerationView[]> {
  const views: GenerationView[] = [];
  for (const snapshot of gateway.snapshots) views.push(await viewOf(gateway, snapshot));
  return views;
}

async function viewOf(gateway: Gateway, snapshot: Snapshot): Promise<GenerationView> {
  const { clock } = gateway;
  const now = clock.now();
  const draining = gateway.drainingOf(snapshot);
  const counts = { kind: {}, listener: {}, route: {}, endpoint: {}, pin: {} };
  const sum = { leases: 0, in: 0, out: 0, deadline: 0 };
  let oldest: { holder: Leaseholder; view: LeaseView } | null = null as { holder: Leaseholder; view: LeaseView } | null;
  await new TimeSlicer(clock).each(snapshot.holders, (holder) => {
    const view = holder.view();
    sum.leases++;
    add(counts.kind, view.kind);
    add(counts.listener, view.listener);
    add(counts.route, view.route);
    add(counts.endpoint, view.endpoint);
    add(counts.pin, holder.blocker ?? '');
    sum.in += view.bytesIn;
    sum.out += view.bytesOut;
    sum.deadline = Math.max(sum.deadline, draining?.deadlineOf(holder) ?? Number.POSITIVE_INFINITY);
    if (oldest === null || view.startedAt < oldest.view.startedAt) oldest = { holder, view };
  });
  const until = (deadline: number): number | null =>
    Number.isFinite(deadline) ? Math.max(0, seconds(deadline - now)) : null;
  const age = clock.wall() - snapshot.boundAt;
  return {
    generation: snapshot.generation,
    state: snapshot.retired ? 'draining' : 'active',
    since: new Date(snapshot.boundAt).toISOString(),
    age_s: seconds(age),
    leases: sum.leases,
    by_kind: counts.kind,
    by_listener: counts.listener,
    by_route: counts.route,
    by_endpoint: counts.endpoint,
    bytes_in: sum.in,
    bytes_out: sum.out,
    pinned_by: counts.pin,
    ends_in_s: sum.leases === 0 ? null : until(sum.deadline),
    oldest: oldest === null ? null : shown(oldest.view),
  };

  function shown({ startedAt, bytesIn, bytesOut, ...view }: LeaseView): OldestLease {
    const { holder } = oldest!;
    return {
      ...view,
      age_s: seconds(now - startedAt),
      bytes_in: bytesIn,
      bytes_out: bytesOut,
      pinned_by: holder.blocker ?? '',
      ends_in_s: until(draining?.deadlineOf(holder) ?? Number.POSITIVE_INFINITY),
    };
  }
}

/** An empty name (a tcp stream's route, a lease without a blocker) is not counted. */
function add(counts: Counts, name: string): void {
  if (name !== '') counts[name] = (counts[name] ?? 0) + 1;
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
