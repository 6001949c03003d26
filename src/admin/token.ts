/** Checks whether a request has the required token (RFC 6750 §2.1). Cold. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** `digest` is the hex SHA-256 of the token. The comparison takes constant time. */
export function hasToken({ headers }: IncomingMessage, digest: string): boolean {
  const token = /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  const given = createHash('sha256').update(token).digest();
  return timingSafeEqual(given, Buffer.from(digest, 'hex'));
}
