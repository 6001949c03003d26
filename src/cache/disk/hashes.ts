/**
 * The hashes that locate a stored response on disk: of its key, and of its identity among the responses for that key.
 * Hot.
 */
import { hash } from 'node:crypto';
import { murmur3 } from '../../kit/hash.ts';

/**
 * 53 bits of a digest of the key. The salt is the directory's secret, so that no client can choose colliding URLs; in a
 * collision the record itself tells the URLs apart.
 */
export function keyHash(salt: string, key: string): number {
  const digest = hash('sha1', salt + key, 'buffer');
  return (digest.readUInt32LE(4) & 0x1fffff) * 2 ** 32 + digest.readUInt32LE(0);
}

/** 32 bits of scope, Vary and variant. Two that collide hide each other, and are never confused. */
export function identityHash(scope: string, varyNames: readonly string[], variant: string): number {
  return murmur3(`${scope}\n\n${varyNames.join(',')}\n\n${variant}`);
}
