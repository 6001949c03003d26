/**
 * Each endpoint as often as its weight says, spread evenly (the smooth algorithm known from nginx). Hot.
 *
 * Each turn adds to every candidate's credit its weight; the candidate with the most credit is picked and pays the sum
 * of all weights; among equals the first wins. Candidates of one weight therefore come in order, and their credits
 * differ only by whether they have paid in this round. So credit is kept for each weight: a turn costs as much as there
 * are different weights. The first turn is a random one of the round, and each group starts at a random member.
 *
 * An unavailable endpoint skips its turn, and one in slow start skips some of its turns: the skipped turns are still
 * spread by weight.
 */
import type { Random } from '../../kit/random.ts';
import type { Candidate, Strategy } from './strategy.ts';

/** Number of turns among which the first one is drawn: enough to be fair, few enough to step through at once. */
const MOST_FIRST_TURNS = 1024;

/** All candidates of one weight. */
class Group {
  readonly weight: number;
  readonly members: readonly number[];
  credit = 0;
  /** The member with the next turn: an index of `members`. */
  next = 0;

  constructor(weight: number, members: readonly number[]) {
    this.weight = weight;
    this.members = members;
  }
}

export class WeightedRoundRobin implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #groups: readonly Group[];
  readonly #sum: number;
  /** The part of a turn that each candidate has saved up by skipping. */
  readonly #saved: Float64Array;
  readonly #credit: Float64Array;

  constructor(candidates: readonly Candidate[], random: Random) {
    this.#candidates = candidates;
    const byWeight = Map.groupBy(candidates.keys(), (i) => candidates[i]!.weight);
    byWeight.delete(0);
    this.#groups = [...byWeight].map(([weight, members]) => {
      const first = Math.floor(random() * members.length);
      return new Group(weight, [...members.slice(first), ...members.slice(0, first)]);
    });
    this.#sum = candidates.reduce((sum, { weight }) => sum + weight, 0);
    this.#saved = new Float64Array(candidates.length);
    this.#credit = new Float64Array(candidates.length);
    if (this.#sum === 0) return;
    for (let i = Math.floor(random() * Math.min(this.#sum, MOST_FIRST_TURNS)); i > 0; i--) this.#turn();
  }

  pick(tier: number): number {
    if (this.#sum === 0) return -1;
    for (let tried = 0; tried < this.#candidates.length; tried++) {
      const index = this.#turn();
      const candidate = this.#candidates[index]!;
      if (candidate.tier() === tier && this.#takes(index, candidate)) return index;
    }
    return this.#amongFew(tier);
  }

  /** A pick, undone afterwards. */
  peek(tier: number): number {
    const saved = this.#saved.slice();
    const credit = this.#credit.slice();
    const groups = this.#groups.map(({ credit: own, next }) => ({ own, next }));
    const index = this.pick(tier);
    this.#saved.set(saved);
    this.#credit.set(credit);
    groups.forEach(({ own, next }, i) => {
      this.#groups[i]!.credit = own;
      this.#groups[i]!.next = next;
    });
    return index;
  }

  /** The candidate with the next turn, if all are healthy. */
  #turn(): number {
    const groups = this.#groups;
    let best = groups[0]!;
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      group.credit += group.weight;
      if (group.credit < best.credit) continue;
      if (group.credit > best.credit || group.members[group.next]! < best.members[best.next]!) best = group;
    }
    const index = best.members[best.next++]!;
    if (best.next === best.members.length) {
      best.next = 0;
      best.credit -= this.#sum;
    }
    return index;
  }

  #takes(index: number, { share, weight }: Candidate): boolean {
    if (share >= weight) return true;
    const saved = this.#saved[index]! + share / weight;
    this.#saved[index] = saved >= 1 ? saved - 1 : saved;
    return saved >= 1;
  }

  /** The same algorithm over the available candidates alone: so few that their turns are far apart, or none. */
  #amongFew(tier: number): number {
    const credit = this.#credit;
    let best = -1;
    let sum = 0;
    for (let i = 0; i < credit.length; i++) {
      const candidate = this.#candidates[i]!;
      if (candidate.weight === 0 || candidate.tier() !== tier) continue;
      const { share } = candidate;
      sum += share;
      credit[i]! += share;
      if (best < 0 || credit[i]! > credit[best]!) best = i;
    }
    if (best >= 0) credit[best]! -= sum;
    return best;
  }
}
