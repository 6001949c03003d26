/**
 * The reloader's queue: reloads run one at a time and the latest wins; orders with a waiting caller run first. Cold.
 */
import type { Reload, Trigger } from './reload.ts';
import type { Reloads } from './reloads.ts';

/** A reload that is queued or running. */
export interface QueuedReload {
  readonly reload: Reload;
  /** Read and compile even if no file seems to have changed. */
  forced: boolean;
}

export class ReloadQueue {
  readonly #reloads: Reloads;
  readonly #take: (turn: QueuedReload) => Promise<void>;
  readonly #orders: (() => Promise<void>)[] = [];
  #next: QueuedReload | null = null;
  #running: Promise<void> | null = null;
  #closed = false;

  /** `take` must not reject. */
  constructor(reloads: Reloads, take: (turn: QueuedReload) => Promise<void>) {
    this.#reloads = reloads;
    this.#take = take;
  }

  /** Requests that arrive before the queued reload starts share it. */
  ask(by: Trigger, forced: boolean): QueuedReload {
    const turn = (this.#next ??= { reload: this.#reloads.make(by), forced });
    if (forced && !turn.forced) {
      turn.forced = true;
      turn.reload.trigger = by;
    }
    this.#go();
    return turn;
  }

  /** Runs `work` between two reloads. */
  order<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const stopping = (): void => reject(new Error('the gateway is stopping'));
      if (this.#closed) stopping();
      else this.#orders.push(() => (this.#closed ? Promise.resolve(stopping()) : work().then(resolve, reject)));
      this.#go();
    });
  }

  #go(): void {
    if (this.#running === null && !this.#closed) this.#running = this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    for (;;) {
      const order = this.#orders.shift();
      const turn = this.#next;
      if (order !== undefined) await order();
      else if (turn !== null && !this.#closed) {
        this.#next = null;
        await this.#take(turn);
      } else {
        // Reset in the same step: a later request would otherwise find neither a running loop nor a new one.
        this.#running = null;
        return;
      }
    }
  }

  /** Resolves when the running work is done; no other work starts. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#next?.reload.forget();
    await this.#running;
  }
}
