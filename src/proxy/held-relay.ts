/** Begins relays, and holds them in the table of their listener. Hot. */
import type { ConnectionHome, ServerConnection } from '../http/server-connection.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Connection } from '../net/connection.ts';
import type { Transport } from '../net/transport.ts';
import { logRelay } from './access-records.ts';
import { admitsSession } from './admission.ts';
import { ABORT, type OpenHome, type RelayContext, type Shared } from './listener-context.ts';
import { Relay, type RelayObserver } from './relay.ts';
import type { Opening } from './tls-router.ts';

/** A relay, as held by the connection table. It outlives its snapshot, so it must not reference the snapshot. */
class HeldRelay implements ServerConnection, RelayObserver {
  tablePlace = NOWHERE;
  tableNumber = 0;
  readonly idle = false;
  readonly connection: Connection;
  relay: Relay | null = null;
  #home: ConnectionHome;
  readonly #shared: Shared;
  readonly #generation: number;

  constructor(connection: Connection, home: OpenHome, { shared, lease }: RelayContext) {
    this.connection = connection;
    this.#home = home;
    this.#shared = shared;
    this.#generation = lease.generation;
    home.add(this);
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  moveTo(home: ConnectionHome): void {
    this.#home = home;
    this.connection.listener = home.listener;
  }

  /** A byte stream has no safe point to end at: it runs until it closes or is aborted. */
  retire(): void {}

  destroy(): void {
    this.relay?.abort(ABORT);
  }

  onRelayClosed(relay: Relay, error: string): void {
    const { accessLog, clock } = this.#shared;
    this.#home.closed(this);
    if (accessLog !== null) logRelay(accessLog, relay, this.#generation, clock.now(), error);
  }
}

/**
 * Relays a connection of the listener to the pool that its opening selects. `context`: the listener as it is now, or
 * null if there is none any more; `decrypted`: the bytes are; `early`: those that have been read already, or null. A
 * connection that the listener would not take is reset: a byte stream has no other way to refuse.
 */
export function startRelay(
  transport: Transport,
  connection: Connection,
  home: OpenHome,
  context: RelayContext | null,
  opening: Opening,
  decrypted: boolean,
  early: Buffer | null,
): void {
  const choice = context?.tlsRouter.choose(opening);
  // A reload may have changed the listener since the connection was accepted.
  if (
    context === null ||
    choice?.pool === null ||
    choice?.action !== (decrypted ? 'terminate' : 'relay') ||
    !admitsAddress(context, connection.clientAddress) ||
    !admitsCertificate(context, connection) ||
    (decrypted && !admitsSession(context, connection))
  ) {
    transport.reset();
    return;
  }
  const held = new HeldRelay(connection, home, context);
  held.relay = new Relay(transport, connection, context, opening, choice, early, held);
}

/** Whether the listener relays for the client; counts refusals. An http listener asks only here, not at the accept. */
export function admitsAddress({ acl, metrics, shared }: RelayContext, client: string): boolean {
  if (acl !== null && !acl.allowsAddress(client)) metrics.refusedByAcl++;
  else if (shared.overloaded) metrics.refusedByOverload++;
  else return true;
  return false;
}

/** Whether the listener's ACL lets the client in by its certificate. One that is passed through shows none here. */
function admitsCertificate({ acl, metrics }: RelayContext, { tls }: Connection): boolean {
  if (acl === null || acl.allowsCertificate(tls?.client ?? null)) return true;
  metrics.refusedByAcl++;
  return false;
}
