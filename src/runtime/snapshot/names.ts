/** DNS names of endpoints: looks them up before they are needed, and reports changes. Cold. */
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Events } from '../../observe/events.ts';
import type { Log } from '../../observe/log.ts';
import { Resolution, type ResolutionObserver } from '../../upstream/resolution.ts';
import type { StateRegistry } from './state-registry.ts';
import type { Snapshot } from './snapshot.ts';

/** Milliseconds that a snapshot waits for the first DNS answers before it becomes current without them. */
const FIRST_WAIT = 1000;

/** The resolutions of a snapshot's names. */
export function resolutionsOf({ plan }: Snapshot, registry: StateRegistry): Resolution[] {
  const claims = plan.pools.flatMap(({ dns }) => dns?.names.map(({ claim }) => claim) ?? []);
  return claims.map((claim) => registry.peek(claim)).filter((held) => held instanceof Resolution);
}

/**
 * Looks up the names that have no answer yet. A server that does not answer delays the snapshot only for a short time.
 */
export async function askFirst(snapshot: Snapshot, registry: StateRegistry, clock: Clock): Promise<void> {
  const asked = resolutionsOf(snapshot, registry).filter(({ asked: before }) => !before);
  if (asked.length === 0) return;
  for (const resolution of asked) resolution.start();
  let limit: Timer | null = null;
  const late = new Promise<void>((resolve) => {
    limit = clock.after(FIRST_WAIT, resolve);
  });
  await Promise.race([late, Promise.all(asked.map((resolution) => resolution.first()))]);
  // The promise has set it: its executor runs at once.
  (limit as Timer | null)?.cancel();
}

/** Reports to the log and the event stream. */
export class NameTeller implements ResolutionObserver {
  readonly #log: Log;
  readonly #events: Events;
  readonly #clock: Clock;

  constructor(log: Log, events: Events, clock: Clock) {
    this.#log = log;
    this.#events = events;
    this.#clock = clock;
  }

  addressesChanged(
    { pool, name: { name }, found }: Resolution,
    added: readonly string[],
    removed: readonly string[],
  ): void {
    const fields = { pool, name, added, removed, addresses: found.length };
    this.#log.info('the addresses of a name have changed', fields);
    this.#emit('addresses', fields);
  }

  lookupChanged({ pool, name: { name }, found }: Resolution, error: string): void {
    const fields = { pool, name, error, addresses: found.length };
    if (error === '') this.#log.info('a name can be looked up again', fields);
    else this.#log.warn('a name cannot be looked up; its known addresses stay', fields);
    this.#emit('lookup', fields);
  }

  #emit(type: string, fields: object): void {
    this.#events.emit({ time: new Date(this.#clock.wall()).toISOString(), type, ...fields });
  }
}
