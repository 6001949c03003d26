/** Reads the body of a request to an admin page, up to a limit. Cold. */
import type { IncomingMessage } from 'node:http';

/** `too_large`: the body has more than `most` bytes; the rest is not read. `gone`: the client has left. */
export async function readBody(message: IncomingMessage, most: number): Promise<Buffer | 'too_large' | 'gone'> {
  if (Number(message.headers['content-length'] ?? 0) > most) return 'too_large';
  const parts: Buffer[] = [];
  let sum = 0;
  try {
    // The parts are bytes, since no encoding is set. A client that sends too much must still get its answer.
    for await (const part of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      sum += part.length;
      if (sum > most) return 'too_large';
      parts.push(part);
    }
  } catch {
    return 'gone';
  }
  return Buffer.concat(parts);
}
