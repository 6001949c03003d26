/**
 * The gateway's listening sockets, by address, the admin listener's among them. Cold; accepting is hot.
 *
 * A socket is identified by its address and belongs to the listener that the current plan has there: a listener that is
 * renamed, or that swaps its address with another, keeps the open socket. All sockets that a plan newly needs are
 * opened before the commit; connections that arrive meanwhile wait. If one can't be opened, the others are closed again
 * and nothing has changed. Sockets that the plan no longer names are closed after the commit. The exception is a socket
 * that conflicts with a new one (`127.0.0.1:80` with `0.0.0.0:80`): it is closed right before the new one is opened.
 */
import type net from 'node:net';
import { type BoundAddress, listen, type ListeningSocket, type ListenOptions, type Taker } from '../../net/listen.ts';
import type { Transport } from '../../net/transport.ts';
import { segment } from '../../config/walk.ts';
import type { AddressPlan } from '../../plan/types/address.ts';
import type { Plan } from '../../plan/types.ts';
import { codeOf, OpenError, type OpenFailure, openFailure } from './open-error.ts';
import type { Prepared } from './opening.ts';

/** The name of a listener; null: the admin listener. */
type Owner = string | null;

interface Wanted {
  readonly owner: Owner;
  readonly identity: string;
  readonly address: AddressPlan;
  readonly pointer: string;
}

interface Open {
  owner: Owner;
  readonly identity: string;
  readonly address: AddressPlan;
  readonly socket: ListeningSocket;
}

export interface ListenerParts extends ListenOptions {
  /** Accepts a connection for the current listener of that name. */
  readonly accept: (name: string, transport: Transport) => void;
  /** Accepts a connection for the admin listener. */
  readonly admin: (socket: net.Socket) => void;
  /** An address that was closed for a config that was then refused could not be opened again. */
  readonly lost: (address: string, code: string) => void;
}

function wantedBy({ listeners, admin }: Plan): Wanted[] {
  const wanted: Wanted[] = listeners.map(({ name, address, socket: { identity } }) => {
    return { owner: name, identity, address, pointer: `/listeners/${segment(name)}/address` };
  });
  if (admin !== null)
    wanted.push({ owner: null, identity: admin.claim.identity, address: admin.address, pointer: '/admin/address' });
  return wanted;
}

export class Listeners {
  readonly #open = new Map<string, Open>();
  readonly #parts: ListenerParts;
  #paused = false;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
  }

  /** Opens new sockets. Throws an OpenError that lists each socket that can't be opened. */
  async prepare(plan: Plan): Promise<Prepared> {
    const wanted = wantedBy(plan);
    const opening = new Opening(this.#open, wanted, this.#parts);
    try {
      await opening.open();
    } catch (error) {
      await this.#abort(opening);
      throw error;
    }
    return { abort: () => this.#abort(opening), commit: () => this.#commit(wanted, opening) };
  }

  async #abort(opening: Opening): Promise<void> {
    for (const { socket } of opening.fresh.values()) socket.close();
    for (const { owner, identity, address } of opening.evicted) {
      this.#open.delete(identity);
      try {
        this.#take({ owner, identity, address, socket: await listen(address, this.#parts) });
      } catch (error) {
        this.#parts.lost(address.text, codeOf(error));
      }
    }
  }

  #commit(wanted: readonly Wanted[], { fresh, evicted }: Opening): void {
    for (const { identity } of evicted) this.#open.delete(identity);
    const named = new Set(wanted.map(({ identity }) => identity));
    for (const [identity, { socket }] of this.#open) {
      if (named.has(identity)) continue;
      socket.close();
      this.#open.delete(identity);
    }
    for (const { identity, owner } of wanted) {
      const open = fresh.get(identity) ?? this.#open.get(identity)!;
      const changed = open.owner !== owner;
      open.owner = owner;
      if (changed || fresh.has(identity)) this.#take(open);
    }
  }

  /** The socket belongs to its owner from now on. */
  #take(open: Open): void {
    this.#open.set(open.identity, open);
    open.socket.serve(this.#takerFor(open.owner));
    if (!this.#paused) return;
    if (open.owner === null) open.socket.resume();
    else open.socket.pause();
  }

  #takerFor(owner: Owner): Taker {
    const { accept, admin } = this.#parts;
    if (owner === null) return { as: 'socket', take: admin };
    return { as: 'transport', take: (transport) => accept(owner, transport) };
  }

  /** Pauses accepting, where possible, until `resume`; the admin listener goes on. */
  pause(): void {
    this.#paused = true;
    for (const { socket, owner } of this.#open.values()) if (owner !== null) socket.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const { socket } of this.#open.values()) socket.resume();
  }

  /** The actual address of the listener of that name, or of the admin listener; null: there is none. */
  addressOf(owner: Owner): BoundAddress | null {
    for (const open of this.#open.values()) if (open.owner === owner) return open.socket;
    return null;
  }

  /** Stops listening for traffic; the admin listener goes on. */
  closeTraffic(): void {
    for (const [identity, { socket, owner }] of this.#open) {
      if (owner === null) continue;
      socket.close();
      this.#open.delete(identity);
    }
  }

  /** Stops listening everywhere. */
  close(): void {
    for (const { socket } of this.#open.values()) socket.close();
    this.#open.clear();
  }
}

/** The sockets that a plan needs opened, and those closed to make room. */
class Opening {
  readonly fresh = new Map<string, Open>();
  /** The sockets closed because they conflicted. */
  readonly evicted: Open[] = [];
  readonly #open: ReadonlyMap<string, Open>;
  readonly #wanted: readonly Wanted[];
  readonly #options: ListenOptions;
  readonly #failures: OpenFailure[] = [];

  constructor(open: ReadonlyMap<string, Open>, wanted: readonly Wanted[], options: ListenOptions) {
    this.#open = open;
    this.#wanted = wanted;
    this.#options = options;
  }

  /** Throws an OpenError. */
  async open(): Promise<void> {
    const hindered: Wanted[] = [];
    for (const one of this.#wanted) {
      if (this.#open.has(one.identity)) continue;
      await this.#openOne(one, () => {
        if (this.#obstacles(one).length === 0) return false;
        hindered.push(one);
        return true;
      });
    }
    this.#throwIfFailed();
    // No other step can fail: a socket closed now is closed for a good reason.
    for (const one of hindered) {
      for (const open of this.#obstacles(one)) {
        open.socket.close();
        this.evicted.push(open);
      }
      await this.#openOne(one, () => false);
    }
    this.#throwIfFailed();
  }

  /** `inTheWay`: whether the conflicting sockets are known and may be closed. */
  async #openOne(one: Wanted, inTheWay: () => boolean): Promise<void> {
    const { owner, identity, address, pointer } = one;
    try {
      this.fresh.set(identity, { owner, identity, address, socket: await listen(address, this.#optionsFor(owner)) });
    } catch (error) {
      if (codeOf(error) === 'EADDRINUSE' && inTheWay()) return;
      const what = owner === null ? 'the admin listener' : `listener ${owner}`;
      this.#failures.push(openFailure(what, address.text, pointer, error, this.#reason(one, codeOf(error))));
    }
  }

  #optionsFor(owner: Owner): ListenOptions {
    // Two gateways that share their ports need an admin listener each.
    return owner === null ? {} : this.#options;
  }

  /** The open sockets at the same port that are no longer wanted. */
  #obstacles({ address }: Wanted): Open[] {
    if (address.path !== null) return [];
    return [...this.#open.values()].filter(
      (open) =>
        open.socket.path === null &&
        open.socket.port === address.port &&
        !this.evicted.includes(open) &&
        !this.#wanted.some(({ identity }) => identity === open.identity),
    );
  }

  #reason({ identity, address: { port, path } }: Wanted, code: string): string | undefined {
    if (code === 'EACCES' && path === null && port < 1024)
      return `ports below 1024 need the capability CAP_NET_BIND_SERVICE`;
    if (code !== 'EADDRINUSE' || path !== null) return undefined;
    const other = this.#wanted.find((one) => one.identity !== identity && this.#portOf(one) === port);
    if (other === undefined) return undefined;
    return `${other.owner === null ? 'the admin listener' : `listener ${other.owner}`} has ${other.address.text}`;
  }

  #portOf({ identity }: Wanted): number {
    return (this.fresh.get(identity) ?? this.#open.get(identity))?.socket.port ?? -1;
  }

  #throwIfFailed(): void {
    if (this.#failures.length > 0) throw new OpenError(this.#failures);
  }
}
