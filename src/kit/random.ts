/** Randomness, passed as an argument so that tests can repeat it. Hot. */

/** Returns a number from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();

/** A repeatable sequence (mulberry32), for tests. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
