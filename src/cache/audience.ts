/** Those who wait for one fetch, or read along: whom it was made for, and the others. Hot, once per fetch. */
import { NOWHERE, Places } from '../kit/places.ts';
import type { Visit } from './visit.ts';
import { mayServeOnError } from './reuse.ts';
import type { StoredResponse } from './stored-response.ts';

export class Audience {
  /** null: nobody, or they have left. */
  leader: Visit | null;
  readonly #others = new Places<Visit>();

  constructor(leader: Visit | null) {
    this.leader = leader;
  }

  get empty(): boolean {
    return this.leader === null && this.#others.size === 0;
  }

  add(visit: Visit): void {
    visit.audiencePlace = this.#others.enter(visit);
  }

  remove(visit: Visit): void {
    if (this.leader === visit) this.leader = null;
    else if (this.#others.at(visit.audiencePlace) === visit) this.#leave(visit);
  }

  #leave(visit: Visit): void {
    this.#others.leave(visit.audiencePlace);
    visit.audiencePlace = NOWHERE;
  }

  /** All but the leader, as of now. */
  get others(): Visit[] {
    return this.#others.size === 0 ? [] : [...this.#others];
  }

  /** All of them, the leader first; none is left. */
  takeAll(): Visit[] {
    const { leader } = this;
    const others = this.takeOthers();
    this.leader = null;
    return leader === null ? others : [leader, ...others];
  }

  /** All but the leader; none of them is left. */
  takeOthers(): Visit[] {
    const all = this.others;
    for (const visit of all) this.#leave(visit);
    return all;
  }

  /** Answers with what is stored, although it is stale, all those who may have it. `grace`: ms that the config allows. */
  serveStale(old: StoredResponse, grace: number, now: number): number {
    const window = grace > 0 ? grace / 1000 : -1;
    let served = 0;
    for (const visit of [this.leader, ...this.others]) {
      if (visit === null || !visit.mayHave(old.head)) continue;
      if (!mayServeOnError(old.head, visit.request, now, window)) continue;
      this.remove(visit);
      served++;
      visit.serveStored(old, 'stale_on_error', 0);
    }
    return served;
  }
}
