/** Those who wait for one fetch, or read along: whom it was made for, and the others. Hot, once per fetch. */
import { NOWHERE, Places } from '../../kit/places.ts';
import type { CacheRequest } from './cache-request.ts';
import { mayServeOnError } from '../rules/reuse.ts';
import type { StoredResponse } from '../store/stored-response.ts';

export class WaitingList {
  /** null: nobody, or they have left. */
  leader: CacheRequest | null;
  readonly #others = new Places<CacheRequest>();

  constructor(leader: CacheRequest | null) {
    this.leader = leader;
  }

  get empty(): boolean {
    return this.leader === null && this.#others.size === 0;
  }

  add(cacheRequest: CacheRequest): void {
    cacheRequest.audiencePlace = this.#others.enter(cacheRequest);
  }

  remove(cacheRequest: CacheRequest): void {
    if (this.leader === cacheRequest) this.leader = null;
    else if (this.#others.at(cacheRequest.audiencePlace) === cacheRequest) this.#leave(cacheRequest);
  }

  #leave(cacheRequest: CacheRequest): void {
    this.#others.leave(cacheRequest.audiencePlace);
    cacheRequest.audiencePlace = NOWHERE;
  }

  /** All but the leader, as of now. */
  get others(): CacheRequest[] {
    return this.#others.size === 0 ? [] : [...this.#others];
  }

  /** All of them, the leader first; none is left. */
  takeAll(): CacheRequest[] {
    const { leader } = this;
    const others = this.takeOthers();
    this.leader = null;
    return leader === null ? others : [leader, ...others];
  }

  /** All but the leader; none of them is left. */
  takeOthers(): CacheRequest[] {
    const all = this.others;
    for (const cacheRequest of all) this.#leave(cacheRequest);
    return all;
  }

  /** Answers with what is stored, although it is stale, all those who may have it. `grace`: ms that the config allows. */
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
