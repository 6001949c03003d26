/** Rebuilds a segment's columns from its records: for the segment that was open when the process was killed. Cold. */
import { open } from 'node:fs/promises';
import { readForm } from './record-codec.ts';
import { HEADER, isHeadSound, MOST_TEXT, readHeader } from './record.ts';
import { Segment } from './segment.ts';

const WINDOW = 1024 * 1024;

/** Stops at the first incomplete record; bodies are verified when they are read. Throws the system's error. */
export async function scan(path: string, id: number): Promise<Segment> {
  const segment = new Segment(id);
  await using file = await open(path, 'r');
  const { size: end } = await file.stat();
  let window: Buffer = Buffer.alloc(0);
  let from = 0;
  /** `size` bytes from `offset` on, or fewer at the end of the file. */
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
