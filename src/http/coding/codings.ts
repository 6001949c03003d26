/**
 * The content codings that the gateway knows (RFC 9110 §8.4.1), and the lists in which messages name them. Hot.
 *
 * zstd is that of RFC 8878 with the window of RFC 9659, br that of RFC 7932, gzip that of RFC 1952, deflate the zlib
 * format of RFC 1950.
 */

export type ContentCoding = 'zstd' | 'br' | 'gzip' | 'deflate';

/** Returns the coding of that name in any case, or null. x-gzip means gzip (RFC 9110 §8.4.1.3). */
export function codingOf(name: string): ContentCoding | null {
  switch (name.toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'br':
      return 'br';
    case 'zstd':
      return 'zstd';
    case 'deflate':
      return 'deflate';
    default:
      return null;
  }
}

/**
 * Returns the codings of a Content-Encoding value, in the order in which they were applied; null if one of them is not
 * in `known` or if there are more than `most`. "identity" is no coding (RFC 9110 §12.5.3), and empty members don't count
 * (§5.6.1.2).
 */
export function codingsIn(value: string, known: readonly ContentCoding[], most: number): ContentCoding[] | null {
  const found: ContentCoding[] = [];
  for (const part of value.split(',')) {
    const name = part.trim();
    if (name === '' || name.toLowerCase() === 'identity') continue;
    const coding = codingOf(name);
    if (coding === null || !known.includes(coding) || found.length === most) return null;
    found.push(coding);
  }
  return found;
}
