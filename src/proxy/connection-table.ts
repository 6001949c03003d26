/**
 * The client connections of one listener: who they are, how many, and how many from each client. Hot.
 *
 * Claimed by the listener's name, so that counts and connections outlive a reload.
 */

import { OpenTable, textHash } from '../kit/open-table.ts';
import { NOWHERE, Places } from '../kit/places.ts';

/** A client connection, as those who end connections see it. */
export interface HeldConnection {
  /** Where its table keeps it; NOWHERE: none does. */
  tablePlace: number;
  /** Its number in the order of acceptance. */
  tableNumber: number;
  /** Nothing is under way on it. */
  readonly idle: boolean;
  readonly clientAddress: string;
  /** Ends it as soon as that loses nothing. */
  retire(): void;
  /** Ends it now. */
  destroy(): void;
}

/** A connection that was turned away, and is not gone yet. */
export type LeavingConnection = Pick<HeldConnection, 'tablePlace' | 'destroy'>;

export class ConnectionTable {
  readonly #held = new Places<HeldConnection>();
  /** They count for nothing. */
  readonly #leaving = new Places<LeavingConnection>();
  readonly #byClient = new OpenTable<string, number>(textHash);
  #accepted = 0;

  get active(): number {
    return this.#held.size;
  }

  /** Connections open from this address. */
  fromClient(address: string): number {
    return this.#byClient.get(address) ?? 0;
  }

  add(connection: HeldConnection): void {
    connection.tablePlace = this.#held.enter(connection);
    connection.tableNumber = this.#accepted++;
    this.#byClient.set(connection.clientAddress, this.fromClient(connection.clientAddress) + 1);
  }

  delete(connection: HeldConnection): void {
    if (connection.tablePlace === NOWHERE) return;
    this.#held.leave(connection.tablePlace);
    connection.tablePlace = NOWHERE;
    const left = this.fromClient(connection.clientAddress) - 1;
    if (left === 0) this.#byClient.delete(connection.clientAddress);
    else this.#byClient.set(connection.clientAddress, left);
  }

  addLeaving(connection: LeavingConnection): void {
    connection.tablePlace = this.#leaving.enter(connection);
  }

  deleteLeaving(connection: LeavingConnection): void {
    if (connection.tablePlace === NOWHERE) return;
    this.#leaving.leave(connection.tablePlace);
    connection.tablePlace = NOWHERE;
  }

  /** Ends all of them as soon as that loses nothing. */
  retire(): void {
    for (const connection of this.#held) connection.retire();
  }

  /** Ends the idle ones whose address is no longer allowed. */
  retireDenied(allows: (address: string) => boolean): void {
    for (const connection of this.#held) if (connection.idle && !allows(connection.clientAddress)) connection.retire();
  }

  /**
   * There may be only so many now, in all and of each client (0: no limit): ends as many idle ones as are too many, and
   * answers with the newest of the others that are.
   */
  beyond(most: number, mostPerClient: number): ReadonlySet<HeldConnection> {
    const excess = new Set<HeldConnection>();
    const held = [...this.#held].toSorted((a, b) => a.tableNumber - b.tableNumber);
    if (mostPerClient > 0) {
      const byClient = Map.groupBy(held, ({ clientAddress }) => clientAddress);
      for (const connections of byClient.values()) newest(connections, connections.length - mostPerClient, excess);
    }
    if (most > 0) {
      const left = held.filter((one) => !excess.has(one));
      newest(left, left.length - most, excess);
    }
    return excess;
  }

  /** The last snapshot that knew the listener has ended. A response may still be on its way out. */
  close(): void {
    this.retire();
  }

  /** Ends all of them now. */
  destroy(): void {
    for (const connection of this.#held) connection.destroy();
    for (const connection of this.#leaving) connection.destroy();
  }
}

/** Ends the newest idle ones of so many too many, and adds the newest busy ones to `excess` if that is not enough. */
function newest(connections: readonly HeldConnection[], tooMany: number, excess: Set<HeldConnection>): void {
  if (tooMany <= 0) return;
  const backwards = connections.toReversed();
  const idle = backwards.filter((one) => one.idle).slice(0, tooMany);
  const busy = backwards.filter((one) => !one.idle).slice(0, tooMany - idle.length);
  for (const one of idle) one.retire();
  for (const one of busy) excess.add(one);
}
