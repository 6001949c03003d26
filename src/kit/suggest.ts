/** "Did you mean": finds the candidate nearest to the written word. Cold. */

/** The number of single-character edits between two words; a swap of two neighbours counts as one. */
function distance(a: string, b: string): number {
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next[j] = Math.min(change, row[j]! + 1, next[j - 1]! + 1, swapped ? last[j - 2]! + 1 : Infinity);
    }
    last = row;
    row = next;
  }
  return row[b.length]!;
}

/** Returns the nearest candidate if it is near enough to be the intended one. */
export function suggest(written: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(written.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(written.toLowerCase(), candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  return best;
}
