/** A segment whose columns are missing, read from its records: that which was written to when a process was killed. Cold. */
import { open } from 'node:fs/promises';
import { readForm } from './record-codec.ts';
import { HEADER, isHeadSound, MOST_TEXT, readHeader } from './record.ts';
import { Segment } from './segment.ts';

const WINDOW = 1024 * 1024;

/** Ends where the first record does not go on; bodies are looked at when they are read. Throws what the system says. */
export async function scan(path: string, id: number): Promise<Segment> {
  const segment = new Segment(id);
  await using file = await open(path, 'r');
  const { size: end } = await file.stat();
  let window: Buffer = Buffer.alloc(0);
  let from = 0;
  /** Bytes from there on, so many if there are as many. */
  const bytesAt = async (offset: number, size: number): Promise<Buffer> => {
    if (offset < from || offset + size > from + window.length) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(size, WINDOW)), 0, null, offset);
      window = buffer.subarray(0, bytesRead);
      from = offset;
    }
    return window.subarray(offset - from, offset - from + size);
  };
  for (let offset = 0; offset + HEADER <= end && segment.hasRows(1); ) {
    const header = readHeader(await bytesAt(offset, HEADER), 0, { segment: id, offset });
    if (header === null || header.textSize > MOST_TEXT || offset + header.size > end) break;
    const head = await bytesAt(offset, HEADER + header.textSize);
    if (head.length < HEADER + header.textSize || !isHeadSound(head, 0, header.textSize)) break;
    const form = readForm(head.toString('utf8', HEADER));
    if (form === null) break;
    segment.add(header, form.head.varyNames, offset, header.size);
    offset += header.size;
  }
  segment.finish();
  return segment;
}
