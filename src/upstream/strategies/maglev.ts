/**
 * The same endpoint for the same key, by a Maglev table (Eisenbud et al., NSDI 2016, §3.4). Hot.
 *
 * Endpoints take turns in claiming places of the table, each in its own order, so each gets its weight's number of
 * places to within one. Keys are spread more evenly than by a ring, and found by one division. The price: when an
 * endpoint is added or removed, a few more keys move than must; while one is merely unavailable, only its own keys
 * move.
 */
import { murmur3 } from '../../kit/hash.ts';
import { Shared } from '../../kit/shared.ts';
import type { HashKeyPlan } from '../../plan/types/pool.ts';
import { HashKey } from '../hashing/key.ts';
import { byName, rosterOf } from '../hashing/ring.ts';
import { walk } from '../hashing/walk.ts';
import type { LoadBalancerContext, Candidate, Strategy } from './strategy.ts';

/** Reloads that change none of the endpoints share the table, which takes milliseconds to make. */
const tables = new Shared<Int32Array>();

export class Maglev implements Strategy {
  readonly #candidates: readonly Candidate[];
  readonly #key: HashKey;
  readonly #table: Int32Array;

  constructor(candidates: readonly Candidate[], key: HashKeyPlan, size: number) {
    this.#candidates = candidates;
    this.#key = new HashKey(key);
    this.#table = tables.get(`${size}\n${rosterOf(candidates)}`, () => tableOf(candidates, size));
  }

  pick(tier: number, context: LoadBalancerContext): number {
    return walk(this.#table, this.#key.of(context) % this.#table.length, this.#candidates, tier);
  }

  /** A pick has no side effect. */
  peek(tier: number, context: LoadBalancerContext): number {
    return this.pick(tier, context);
  }
}

/** The owner of each place. Cold. */
function tableOf(candidates: readonly Candidate[], size: number): Int32Array {
  const owners = byName(candidates).filter((index) => candidates[index]!.weight > 0);
  const table = new Int32Array(owners.length === 0 ? 0 : size).fill(-1);
  const weights = Int32Array.from(owners, (index) => candidates[index]!.weight);
  const most = Math.max(...weights);
  // Each owner visits the places in steps of its own: as the number of places is prime, it reaches all of them.
  const place = Int32Array.from(owners, (index) => murmur3(candidates[index]!.name) % size);
  const step = Int32Array.from(owners, (index) => (murmur3(candidates[index]!.name, 1) % (size - 1)) + 1);
  // The heaviest has a turn in every round, the others whenever their accumulated weight reaches its weight.
  const due = new Int32Array(owners.length);
  for (let filled = 0, turn = 0; filled < table.length; turn = turn + 1 === owners.length ? 0 : turn + 1) {
    due[turn]! += weights[turn]!;
    if (due[turn]! < most) continue;
    due[turn]! -= most;
    let at = place[turn]!;
    const by = step[turn]!;
    while (table[at]! >= 0) {
      at += by;
      if (at >= size) at -= size;
    }
    table[at] = owners[turn]!;
    place[turn] = at;
    filled++;
  }
  return table;
}
