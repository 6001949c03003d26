/** What a stored response is found by on disk: numbers made of its key, and of what tells it from others under that key. Hot. */
import { hash } from 'node:crypto';
import { murmur3 } from '../../kit/hash.ts';

/**
 * 53 bits of a digest of the key. The salt is the directory's own secret, so that nobody can choose URLs that meet; should
 * two meet all the same, the record itself says which it is.
 */
export function keyHash(salt: string, key: string): number {
  const digest = hash('sha1', salt + key, 'buffer');
  return (digest.readUInt32LE(4) & 0x1fffff) * 2 ** 32 + digest.readUInt32LE(0);
}

/** 32 bits of scope, Vary and variant. Two that meet hide each other, and are never taken for each other. */
export function identityHash(scope: string, varyNames: readonly string[], variant: string): number {
  return murmur3(`${scope}\n\n${varyNames.join(',')}\n\n${variant}`);
}
