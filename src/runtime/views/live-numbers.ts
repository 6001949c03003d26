/** Counts the running leases by listener, route, endpoint and client: for `prozy plan`. Cold. */
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { LiveNumbers, LiveLeases } from '../../plan/diff/live.ts';
import type { Gateway } from '../gateway.ts';
import { endpointViews } from './runtime-views.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** With more leases than this, clients are not distinguished. */
const MOST_CLIENTS = 10_000;

export async function liveNumbers(gateway: Gateway, snapshot: Snapshot): Promise<LiveNumbers> {
  const connections: Record<string, number> = {};
  for (const [name, { table }] of snapshot.listeners) connections[name] = table.active;
  const groups = new Map<string, { -readonly [K in keyof LiveLeases]: LiveLeases[K] }>();
  const anonymous = snapshot.leases > MOST_CLIENTS;
  await new TimeSlicer(gateway.clock).each(snapshot.holders, (holder) => {
    const { kind, listener, route, endpoint, ...view } = holder.view();
    const client = anonymous ? null : view.client;
    const key = JSON.stringify([kind, listener, route, endpoint, client]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, listener, route, endpoint, client, count: 1 });
    else group.count++;
  });
  const endpoints = endpointViews(gateway).map(({ pool, endpoint, active, idle, admin_state: adminState }) => ({
    pool,
    endpoint,
    active,
    idle,
    admin_state: adminState,
  }));
  let older = 0;
  for (const one of gateway.snapshots) if (one !== snapshot) older += one.leases;
  return { connections, endpoints, leases: [...groups.values()], older };
}
