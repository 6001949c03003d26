/** Finds the smallest set of items that moved within a list. Cold. */

/** `places`: the old position of each item, in the new order. Returns the indexes of the items that moved. */
export function movedOf(places: readonly number[]): Set<number> {
  // The longest subsequence still in order has stayed; patience sorting finds it in n log n.
  const tails: number[] = [];
  const previous = new Int32Array(places.length);
  places.forEach((place, i) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[tails[middle]!]! < place) low = middle + 1;
      else high = middle;
    }
    previous[i] = low === 0 ? -1 : tails[low - 1]!;
    tails[low] = i;
  });
  const moved = new Set(places.keys());
  for (let i = tails.at(-1) ?? -1; i >= 0; i = previous[i]!) moved.delete(i);
  return moved;
}
