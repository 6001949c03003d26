/** The body of a request to an admin page, if it is not too large. Cold. */
import type { IncomingMessage } from 'node:http';

/** null: it has more than `most` bytes; the rest is not read. Rejects if the client leaves. */
export async function readBody(message: IncomingMessage, most: number): Promise<Buffer | null> {
  if (Number(message.headers['content-length'] ?? 0) > most) return null;
  const parts: Buffer[] = [];
  let sum = 0;
  // Bytes, since no encoding has been set.
  for await (const part of message as AsyncIterable<Buffer>) {
    sum += part.length;
    if (sum > most) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
