/**
 * The client connections of one listener, with counts in total and per client. Hot.
 *
 * The table is claimed by the listener's name, so counts and connections outlive a reload. When another listener takes
 * over an address, the connections move to its table.
 */
import type { LeavingConnection, ServerConnection } from '../http/server-connection.ts';
import type { HttpService } from '../http/server-stream.ts';
import { OpenTable, textHash } from '../kit/open-table.ts';
import { NOWHERE, Places } from '../kit/places.ts';
import type { Connection } from '../net/connection.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { HandshakeQueue } from '../net/tls/handshake-queue.ts';
import type { TotalConnections } from './admission.ts';
import type { OpenHome, RelayContext } from './listener-context.ts';

/** Both find the listener of the table's name in the current snapshot. */
export interface ListenerFinders {
  /** null: it is gone, or is no http listener. */
  readonly service: () => HttpService | null;
  readonly relays: () => RelayContext | null;
}

export interface ConnectionTableParts extends ListenerFinders {
  readonly listener: string;
  readonly metrics: ListenerMetrics;
  readonly total: TotalConnections;
  readonly handshakes: HandshakeQueue;
}

export class ConnectionTable implements OpenHome {
  readonly listener: string;
  readonly service: () => HttpService | null;
  readonly relays: () => RelayContext | null;
  /** Those of the connections whose handshake is not done. */
  readonly handshakes: HandshakeQueue;
  readonly #metrics: ListenerMetrics;
  readonly #total: TotalConnections;
  readonly #held = new Places<ServerConnection>();
  /** They count towards no limit. */
  readonly #leaving = new Places<LeavingConnection>();
  readonly #byClient = new OpenTable<string, number>(textHash);
  #accepted = 0;

  constructor({ listener, metrics, total, handshakes, service, relays }: ConnectionTableParts) {
    this.listener = listener;
    this.service = service;
    this.relays = relays;
    this.handshakes = handshakes;
    this.#metrics = metrics;
    this.#total = total;
  }

  get active(): number {
    return this.#held.size;
  }

  /** Open connections from this address. */
  fromClient(address: string): number {
    return this.#byClient.get(address) ?? 0;
  }

  /** Adds an admitted connection. */
  add(connection: ServerConnection): void {
    this.#total.enter();
    this.#hold(connection);
  }

  #hold(connection: ServerConnection): void {
    this.#metrics.active++;
    connection.tablePlace = this.#held.enter(connection);
    connection.tableNumber = this.#accepted++;
    this.#byClient.set(connection.clientAddress, this.fromClient(connection.clientAddress) + 1);
  }

  replaced(connection: ServerConnection, successor: ServerConnection): void {
    this.#held.leave(connection.tablePlace);
    connection.tablePlace = NOWHERE;
    successor.tablePlace = this.#held.enter(successor);
    successor.tableNumber = connection.tableNumber;
  }

  /** A connection of this table has closed. */
  closed(connection: ServerConnection): void {
    if (!this.#delete(connection)) return;
    this.#total.leave();
  }

  /** Moves the connections of each `from` table to its `to` table, all at once: two tables may swap. */
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

  #delete(connection: ServerConnection): boolean {
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

  /** Oldest first. */
  get #inOrder(): ServerConnection[] {
    return [...this.#held].toSorted((a, b) => a.tableNumber - b.tableNumber);
  }

  /** Closes all of them as soon as no request is lost by that. */
  retire(patient = false): void {
    for (const connection of this.#held) connection.retire(patient);
  }

  /** Closes idle connections whose client is no longer allowed. */
  retireDenied(allows: (connection: Connection) => boolean): void {
    for (const one of this.#held) if (one.idle && !allows(one.connection)) one.retire();
  }

  /**
   * Applies new limits, in total and per client (0: no limit): closes idle connections in excess, and returns the
   * newest busy ones that are still in excess.
   */
  beyond(most: number, mostPerClient: number): ReadonlySet<ServerConnection> {
    const excess = new Set<ServerConnection>();
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

  /** The last snapshot with this listener has ended. A response may still be in transmission. */
  close(): void {
    this.retire();
    this.#total.leftBehind(this);
  }

  /** Closes all of them now. */
  destroy(): void {
    for (const connection of this.#held) connection.destroy();
    for (const connection of this.#leaving) connection.destroy();
  }
}

/**
 * Closes up to `tooMany` of the newest idle connections, and adds the newest busy ones to `excess` if those are not
 * enough.
 */
function newest(connections: readonly ServerConnection[], tooMany: number, excess: Set<ServerConnection>): void {
  if (tooMany <= 0) return;
  const backwards = connections.toReversed();
  const idle = backwards.filter((one) => one.idle).slice(0, tooMany);
  const busy = backwards.filter((one) => !one.idle).slice(0, tooMany - idle.length);
  for (const one of idle) one.retire();
  for (const one of busy) excess.add(one);
}
