/** The waiting list of one fetch: the leader, which started it, and the others. Hot, once per fetch. */
import { NOWHERE, Places } from '../../kit/places.ts';
import { mayServeOnError } from '../rules/reuse.ts';
import type { RequestDirectives } from '../rules/directives.ts';
import type { StoredHead, StoredResponse } from '../store/stored-response.ts';

/** A request that waits for the fetch. */
export interface Waiter {
  /** Its place among those that wait. */
  waitingPlace: number;
  readonly request: RequestDirectives;
  mayHave(head: StoredHead): boolean;
  serveStored(stored: StoredResponse, result: 'stale_on_error', status: number): void;
}

export class WaitingList<W extends Waiter> {
  /** null: there is none, or it has left. */
  leader: W | null;
  readonly #others = new Places<W>();

  constructor(leader: W | null) {
    this.leader = leader;
  }

  get empty(): boolean {
    return this.leader === null && this.#others.size === 0;
  }

  add(cacheRequest: W): void {
    cacheRequest.waitingPlace = this.#others.enter(cacheRequest);
  }

  remove(cacheRequest: W): void {
    if (this.leader === cacheRequest) this.leader = null;
    else if (this.#others.at(cacheRequest.waitingPlace) === cacheRequest) this.#leave(cacheRequest);
  }

  #leave(cacheRequest: W): void {
    this.#others.leave(cacheRequest.waitingPlace);
    cacheRequest.waitingPlace = NOWHERE;
  }

  /** A copy of all waiters but the leader. */
  get others(): W[] {
    return this.#others.size === 0 ? [] : [...this.#others];
  }

  /** Removes all waiters and returns them, the leader first. */
  takeAll(): W[] {
    const { leader } = this;
    const others = this.takeOthers();
    this.leader = null;
    return leader === null ? others : [leader, ...others];
  }

  /** Removes all waiters but the leader, and returns them. */
  takeOthers(): W[] {
    const all = this.others;
    for (const cacheRequest of all) this.#leave(cacheRequest);
    return all;
  }

  /**
   * Serves the stale response to all waiters that may have it. Returns their number. `grace`: ms that the config
   * allows.
   */
  serveStale(old: StoredResponse, grace: number, now: number): number {
    const window = grace > 0 ? grace / 1000 : -1;
    let served = 0;
    for (const cacheRequest of [this.leader, ...this.others]) {
      if (cacheRequest === null || !cacheRequest.mayHave(old.head)) continue;
      if (!mayServeOnError(old.head, cacheRequest.request, now, window)) continue;
      this.remove(cacheRequest);
      served++;
      cacheRequest.serveStored(old, 'stale_on_error', 0);
    }
    return served;
  }
}
