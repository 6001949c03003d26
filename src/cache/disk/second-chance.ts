/**
 * Second chance: reads those records of a segment about to be removed that had hits, to write them again. Hot, once per
 * segment.
 */
import type { Entries, Entry } from './entries.ts';
import { readForm } from './record-codec.ts';
import type { PendingWrite } from './pending-write.ts';
import { readRecord } from './record.ts';
import type { Segment } from './segment.ts';
import type { SegmentFiles } from './segment-files.ts';

/** `most`: bytes. */
export async function readAgain(
  segment: Segment,
  most: number,
  entries: Entries,
  files: SegmentFiles,
): Promise<readonly PendingWrite[]> {
  const items: [Entry, PendingWrite][] = [];
  let room = most;
  for (let i = 0; i < segment.count && room > 0; i++) {
    if (segment.isDead(i) || !segment.wasHit(i)) continue;
    room -= segment.size(i);
    const item = await read({ segment, i }, files);
    if (item !== null) items.push([{ segment, i }, item]);
  }
  // Records that were killed meanwhile are left out.
  return items.filter(([entry]) => entries.isLive(entry)).map(([, item]) => item);
}

function read({ segment, i }: Entry, files: SegmentFiles): Promise<PendingWrite | null> {
  const [offset, size] = [segment.offset(i), segment.size(i)];
  return new Promise((resolve) => {
    const done = (bytes: Buffer | null): void => {
      const record = bytes === null ? null : readRecord(bytes, { segment: segment.id, offset });
      const form = record === null ? null : readForm(record.text.toString());
      if (record === null || form === null) {
        resolve(null);
        return;
      }
      const { hash, identity, kind, number } = record;
      const same = { hash, identity, kind, number, size, key: form.key, varyNames: segment.varyNames(i) };
      resolve({ ...same, response: null, record, replaces: false, dead: false });
    };
    if (!files.ask({ segment: segment.id, offset, size, isWanted: () => true, done })) resolve(null);
  });
}
