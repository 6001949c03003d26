/**
 * Walks from a key's place to the first available owner. Hot.
 *
 * The order of owners is fixed for each key, in all their states. That is enough for consistency: while an endpoint
 * is unavailable, only the keys that belong to it move, and they return with it.
 */
import type { Candidate } from '../strategies/strategy.ts';

/** Places to visit beyond the number of candidates, to get past an owner of long runs in a small pool. */
const MORE_STEPS = 64;

/**
 * `owners`: index of a candidate for each place; candidates of weight 0 own none. Returns a candidate's index, or -1 if
 * none is of `tier`.
 */
export function walk(owners: Int32Array, from: number, candidates: readonly Candidate[], tier: number): number {
  const places = owners.length;
  if (places === 0) return -1;
  let last = -1;
  const steps = Math.min(places, candidates.length + MORE_STEPS);
  for (let i = 0, at = from; i < steps; i++, at++) {
    if (at >= places) at -= places;
    const owner = owners[at]!;
    if (owner === last) continue;
    if (candidates[owner]!.tier() === tier) return owner;
    last = owner;
  }
  // So few are available that a further walk would take long: the order in the config decides.
  const count = candidates.length;
  for (let i = 0, at = from % count; i < count; i++, at++) {
    if (at >= count) at -= count;
    const candidate = candidates[at]!;
    if (candidate.weight > 0 && candidate.tier() === tier) return at;
  }
  return -1;
}
