/**
 * MurmurHash3 (x86, 32 bit) by Austin Appleby, over the low bytes of a string's characters; strings from the network
 * have no other bytes. Hot.
 *
 * The hash spreads keys and is not cryptographic. Node has no such hash, and a digest of `node:crypto` costs ten times
 * as much.
 */

/** Returns an unsigned 32-bit hash. Different seeds give different hashes. */
export function murmur3(text: string, seed = 0): number {
  const { length } = text;
  const whole = length & ~3;
  let hash = seed | 0;
  let i = 0;
  for (; i < whole; i += 4) {
    const block =
      (text.charCodeAt(i) & 255) |
      ((text.charCodeAt(i + 1) & 255) << 8) |
      ((text.charCodeAt(i + 2) & 255) << 16) |
      (text.charCodeAt(i + 3) << 24);
    hash ^= scramble(block);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  let rest = 0;
  for (let shift = 0; i < length; i++, shift += 8) rest |= (text.charCodeAt(i) & 255) << shift;
  if (length > whole) hash ^= scramble(rest);
  return mix(hash ^ length);
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}

/** Mixes a number so that each input bit affects each output bit. The result is unsigned. */
export function mix(number: number): number {
  let h = number;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * HalfSipHash-1-3 (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012) over the low bytes of a string's
 * characters: for tables whose keys a client chooses. `first` and `second` are the secret, 32 bits each. Returns an
 * unsigned 32-bit hash.
 */
export function sipHash(text: string, first: number, second: number): number {
  const { length } = text;
  const whole = length & ~3;
  let a = first | 0;
  let b = second | 0;
  let c = 0x6c796765 ^ a;
  let d = 0x74656462 ^ b;
  // One round for each block, the last of which contains the length; then three final rounds without a block.
  for (let i = 0; i <= whole + 12; i += 4) {
    let block = 0;
    if (i < whole)
      block =
        (text.charCodeAt(i) & 255) |
        ((text.charCodeAt(i + 1) & 255) << 8) |
        ((text.charCodeAt(i + 2) & 255) << 16) |
        (text.charCodeAt(i + 3) << 24);
    else if (i === whole) {
      block = length << 24;
      for (let j = whole, shift = 0; j < length; j++, shift += 8) block |= (text.charCodeAt(j) & 255) << shift;
    } else if (i === whole + 4) c ^= 0xff;
    d ^= block;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= block;
  }
  return (b ^ d) >>> 0;
}
