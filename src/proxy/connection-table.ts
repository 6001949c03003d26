/**
 * The client connections of one listener: who they are, how many, and how many from each client. Hot.
 *
 * Claimed by the listener's name, so that counts and connections outlive a reload. Where another listener takes over an
 * address, the connections go over to its table.
 */
import type { ConnectionHome } from '../http/h1/server-environment.ts';
import type { HttpService } from '../http/server-stream.ts';
import { OpenTable, textHash } from '../kit/open-table.ts';
import { NOWHERE, Places } from '../kit/places.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { TotalConnections } from './admission.ts';

/** A client connection, as those who end connections see it. */
export interface HeldConnection {
  /** Where its table keeps it; NOWHERE: none does. */
  tablePlace: number;
  /** Its number in the order of acceptance. */
  tableNumber: number;
  /** Nothing is under way on it. */
  readonly idle: boolean;
  readonly clientAddress: string;
  /** Ends it as soon as that loses nothing. `patient`: one that has just come may send its first request. */
  retire(patient?: boolean): void;
  /** Ends it now. */
  destroy(): void;
  /** It belongs to the listener of another table from now on. */
  moveTo(table: ConnectionTable): void;
}

/** A connection that was rejected, and is not gone yet. */
export type LeavingConnection = Pick<HeldConnection, 'tablePlace' | 'destroy'>;

export interface ConnectionTableParts {
  readonly listener: string;
  readonly metrics: ListenerMetrics;
  readonly total: TotalConnections;
  /** The http listener of that name in whatever is current. */
  readonly service: () => HttpService | null;
}

export class ConnectionTable implements ConnectionHome {
  readonly listener: string;
  readonly service: () => HttpService | null;
  readonly #metrics: ListenerMetrics;
  readonly #total: TotalConnections;
  readonly #held = new Places<HeldConnection>();
  /** They count for nothing. */
  readonly #leaving = new Places<LeavingConnection>();
  readonly #byClient = new OpenTable<string, number>(textHash);
  #accepted = 0;

  constructor({ listener, metrics, total, service }: ConnectionTableParts) {
    this.listener = listener;
    this.service = service;
    this.#metrics = metrics;
    this.#total = total;
  }

  get active(): number {
    return this.#held.size;
  }

  /** Connections open from this address. */
  fromClient(address: string): number {
    return this.#byClient.get(address) ?? 0;
  }

  /** A connection was let in. */
  add(connection: HeldConnection): void {
    this.#total.enter();
    this.#hold(connection);
  }

  #hold(connection: HeldConnection): void {
    this.#metrics.active++;
    connection.tablePlace = this.#held.enter(connection);
    connection.tableNumber = this.#accepted++;
    this.#byClient.set(connection.clientAddress, this.fromClient(connection.clientAddress) + 1);
  }

  /** A connection of this table is over. */
  closed(connection: HeldConnection): void {
    if (!this.#delete(connection)) return;
    this.#total.leave();
  }

  /** Those of `tables` go over to the table beside each, all at once: two may change places. */
  static move(tables: readonly (readonly [from: ConnectionTable, to: ConnectionTable])[]): void {
    const moving = tables.map(([from, to]) => [from, to, from.#inOrder] as const);
    for (const [from, , connections] of moving) for (const one of connections) from.#delete(one);
    for (const [, to, connections] of moving) {
      for (const one of connections) {
        to.#hold(one);
        one.moveTo(to);
      }
    }
  }

  #delete(connection: HeldConnection): boolean {
    if (connection.tablePlace === NOWHERE) return false;
    this.#held.leave(connection.tablePlace);
    connection.tablePlace = NOWHERE;
    this.#metrics.active--;
    const left = this.fromClient(connection.clientAddress) - 1;
    if (left === 0) this.#byClient.delete(connection.clientAddress);
    else this.#byClient.set(connection.clientAddress, left);
    return true;
  }

  addLeaving(connection: LeavingConnection): void {
    connection.tablePlace = this.#leaving.enter(connection);
  }

  deleteLeaving(connection: LeavingConnection): void {
    if (connection.tablePlace === NOWHERE) return;
    this.#leaving.leave(connection.tablePlace);
    connection.tablePlace = NOWHERE;
  }

  /** The oldest first. */
  get #inOrder(): HeldConnection[] {
    return [...this.#held].toSorted((a, b) => a.tableNumber - b.tableNumber);
  }

  /** Ends all of them as soon as that loses nothing. */
  retire(patient = false): void {
    for (const connection of this.#held) connection.retire(patient);
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
    const held = this.#inOrder;
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
    this.#total.leftBehind(this);
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
