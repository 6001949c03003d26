/**
 * The endpoint with the fewest exchanges in progress for its share; equals take turns in proportion to their shares.
 * Hot.
 *
 * The endpoints form a heap by load, reordered when `changed` reports a new load, so the least loaded is on top. It is
 * nearly always available; if not, the search goes down the heap only as far as it must.
 *
 * During slow start an endpoint's share grows without a notification: those endpoints are weighed again before each
 * pick.
 */
import type { Random } from '../../kit/random.ts';
import type { Candidate, Strategy } from './strategy.ts';

export class LeastConnections implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #load: Float64Array;
  /** Grows with each pick of the candidate; of two with the same load the smaller turn comes first. */
  readonly #turn: Float64Array;
  /** Indexes of candidates: none has less load than the one at half its place. */
  readonly #heap: Int32Array;
  /** Each candidate's place in the heap; -1: it has no weight. */
  readonly #place: Int32Array;
  /** The first `#startingCount` are the candidates in slow start. */
  readonly #starting: Int32Array;
  /** Each candidate's place among them; -1: it is not in slow start. */
  readonly #startingPlace: Int32Array;
  #startingCount = 0;
  readonly #search: Int32Array;
  /** The turn that was last taken: a candidate that was unavailable for long does not make up for it. */
  #now = 0;

  constructor(candidates: readonly Candidate[], random: Random) {
    this.#candidates = candidates;
    this.#load = new Float64Array(candidates.length);
    this.#turn = new Float64Array(candidates.length);
    this.#starting = new Int32Array(candidates.length);
    this.#startingPlace = new Int32Array(candidates.length).fill(-1);
    this.#place = new Int32Array(candidates.length).fill(-1);
    this.#heap = Int32Array.from([...candidates.keys()].filter((i) => candidates[i]!.weight > 0));
    this.#search = new Int32Array(this.#heap.length + 1);
    this.#heap.forEach((index, place) => {
      this.#place[index] = place;
      // As if each candidate were already on the way to its next turn.
      this.#turn[index] = random() / candidates[index]!.weight;
      this.#weigh(index);
    });
    for (let place = (this.#heap.length >> 1) - 1; place >= 0; place--) this.#sink(place);
  }

  pick(tier: number): number {
    // From last to first: a candidate that leaves the list is replaced by one that was visited already.
    for (let i = this.#startingCount - 1; i >= 0; i--) this.changed(this.#starting[i]!);
    let best = this.#best(tier);
    // A candidate whose share shrank without a notification is in the wrong place until it is weighed.
    for (let i = 0; i < this.#heap.length && best >= 0 && this.#weigh(best); i++) {
      this.#settle(best);
      best = this.#best(tier);
    }
    if (best < 0) return -1;
    this.#now = Math.max(this.#now, this.#turn[best]!);
    this.#turn[best] = this.#now + 1 / this.#candidates[best]!.share;
    this.#sink(this.#place[best]!);
    return best;
  }

  /** A pick, undone afterwards. */
  peek(tier: number): number {
    const arrays = [this.#load, this.#turn, this.#heap, this.#place, this.#starting, this.#startingPlace];
    const kept = arrays.map((array) => ({ array, was: array.slice() }));
    const startingCount = this.#startingCount;
    const now = this.#now;
    const index = this.pick(tier);
    for (const { array, was } of kept) array.set(was);
    this.#startingCount = startingCount;
    this.#now = now;
    return index;
  }

  changed(index: number): void {
    if (this.#place[index]! >= 0 && this.#weigh(index)) this.#settle(index);
  }

  /** Moves it to its place in the heap. */
  #settle(index: number): void {
    this.#rise(this.#place[index]!);
    this.#sink(this.#place[index]!);
  }

  /** Updates its load; returns whether that has changed. */
  #weigh(index: number): boolean {
    const { active, share, weight } = this.#candidates[index]!;
    if (share < weight !== this.#startingPlace[index]! >= 0) this.#start(index);
    const load = active / share;
    if (load === this.#load[index]) return false;
    this.#load[index] = load;
    return true;
  }

  /** Adds it to the slow start list, or removes it. */
  #start(index: number): void {
    const list = this.#starting;
    const places = this.#startingPlace;
    const place = places[index]!;
    if (place < 0) {
      places[index] = this.#startingCount;
      list[this.#startingCount++] = index;
      return;
    }
    const last = list[--this.#startingCount]!;
    list[place] = last;
    places[last] = place;
    places[index] = -1;
  }

  /** The first candidate in order that is of that tier; -1: none. */
  #best(tier: number): number {
    const heap = this.#heap;
    const search = this.#search;
    let best = -1;
    let depth = 0;
    if (heap.length > 0) search[depth++] = 0;
    while (depth > 0) {
      const place = search[--depth]!;
      const index = heap[place]!;
      if (best >= 0 && !this.#before(index, best)) continue;
      if (this.#candidates[index]!.tier() === tier) {
        best = index;
        continue;
      }
      const child = 2 * place + 1;
      if (child + 1 < heap.length) search[depth++] = child + 1;
      if (child < heap.length) search[depth++] = child;
    }
    return best;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#load[a]! - this.#load[b]! || this.#turn[a]! - this.#turn[b]! || a - b;
    return difference < 0;
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const index = heap[from]!;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(index, heap[parent]!)) break;
      this.#put(heap[parent]!, place);
      place = parent;
    }
    this.#put(index, place);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const index = heap[from]!;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#before(heap[child]!, index)) break;
      this.#put(heap[child]!, place);
      place = child;
    }
    this.#put(index, place);
  }

  #put(index: number, place: number): void {
    this.#heap[place] = index;
    this.#place[index] = place;
  }
}
