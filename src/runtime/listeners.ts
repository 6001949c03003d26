/**
 * The gateway's listening sockets, by claim. Cold; accepting is hot.
 *
 * All that a plan newly needs are opened before anything is committed; connections that come in meanwhile wait. If one
 * can't be opened the others are closed again and nothing has happened. Those no longer named are closed after a commit.
 */
import { type BoundAddress, listen, type ListeningSocket, type ListenOptions } from '../net/listen.ts';
import type { Transport } from '../net/transport.ts';
import { segment } from '../plan/scope.ts';
import type { AddressPlan, Plan } from '../plan/types.ts';
import { OpenError } from './open-error.ts';
import type { Prepared } from './opening.ts';

interface Open {
  readonly name: string;
  readonly socket: ListeningSocket;
  /** Connections that wait for the commit; null after it. */
  waiting: Transport[] | null;
}

export class Listeners {
  readonly #open = new Map<string, Open>();
  readonly #accept: (name: string, transport: Transport) => void;
  readonly #options: ListenOptions;
  #paused = false;

  constructor(accept: (name: string, transport: Transport) => void, options: ListenOptions) {
    this.#accept = accept;
    this.#options = options;
  }

  /** Opens new sockets; those that the plan does not name are closed when they come into use. Throws a OpenError. */
  async prepare(plan: Plan): Promise<Prepared> {
    const fresh = new Map<string, Open>();
    const abort = (): void => {
      for (const { socket, waiting } of fresh.values()) {
        socket.close();
        for (const transport of waiting ?? []) transport.destroy();
      }
    };
    for (const { name, address, socket: claim } of plan.listeners) {
      if (this.#open.has(claim.identity)) continue;
      try {
        fresh.set(claim.identity, await this.#openOne(name, address));
      } catch (error) {
        abort();
        throw new OpenError(`listener ${name}`, address.text, `/listeners/${segment(name)}/address`, error);
      }
    }
    return { abort, commit: () => this.#commit(plan, fresh) };
  }

  async #openOne(name: string, address: AddressPlan): Promise<Open> {
    const waiting: Transport[] = [];
    let open: Open | null = null;
    const socket = await listen(
      address,
      (transport) => {
        if (open !== null && open.waiting === null) this.#accept(name, transport);
        else {
          transport.pause();
          waiting.push(transport);
        }
      },
      this.#options,
    );
    open = { name, socket, waiting };
    return open;
  }

  #commit(plan: Plan, fresh: ReadonlyMap<string, Open>): void {
    const named = new Set(plan.listeners.map(({ socket }) => socket.identity));
    for (const [identity, { socket }] of this.#open) {
      if (named.has(identity)) continue;
      socket.close();
      this.#open.delete(identity);
    }
    for (const [identity, open] of fresh) {
      this.#open.set(identity, open);
      const waiting = open.waiting ?? [];
      open.waiting = null;
      for (const transport of waiting) {
        this.#accept(open.name, transport);
        transport.resume();
      }
      if (this.#paused) open.socket.pause();
    }
  }

  /** Those that can be accept nothing more until `resume`. */
  pause(): void {
    this.#paused = true;
    for (const { socket } of this.#open.values()) socket.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const { socket } of this.#open.values()) socket.resume();
  }

  /** Where the listener of that name really listens; null: there is none. */
  addressOf(name: string): BoundAddress | null {
    for (const open of this.#open.values()) if (open.name === name) return open.socket;
    return null;
  }

  /** Stops listening everywhere. */
  close(): void {
    for (const { socket } of this.#open.values()) socket.close();
    this.#open.clear();
  }
}
