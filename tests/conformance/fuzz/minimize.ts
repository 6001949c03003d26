/** Makes a message that shows something as short as it can be and still show it: ever smaller cuts, as long as one holds. */
export function minimize(bytes: Buffer, holds: (smaller: Buffer) => boolean): Buffer {
  let best = bytes;
  for (let size = best.length >> 1; size >= 1; ) {
    let cut = false;
    for (let at = 0; at < best.length; ) {
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (holds(smaller)) {
        best = smaller;
        cut = true;
      } else at += size;
    }
    if (size > 1) size >>= 1;
    else if (!cut) break;
  }
  return best;
}
