/**
 * From a key's place on to the first owner that may be had. Hot.
 *
 * The order in which owners come is fixed for each key, whatever state they are in. That is all that consistency needs:
 * while one is away only those keys move that it came first for, and they come back with it.
 */
import type { Candidate } from '../strategies/strategy.ts';

/** Places looked at beyond the number of candidates, so that in a small pool whoever owns long runs is passed. */
const MORE_STEPS = 64;

/**
 * `owners`: index of a candidate for each place; those of weight 0 own none. Answers with a candidate's index, or -1: none
 * is of `tier`.
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
  // So few are left that walking on would take long: their order in the config decides.
  const count = candidates.length;
  for (let i = 0, at = from % count; i < count; i++, at++) {
    if (at >= count) at -= count;
    const candidate = candidates[at]!;
    if (candidate.weight > 0 && candidate.tier() === tier) return at;
  }
  return -1;
}
