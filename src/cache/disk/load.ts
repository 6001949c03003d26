/**
 * Loads the records of earlier runs. Cold: time-sliced beside the traffic, newest first, so that a record found
 * meanwhile is never outdated.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Directory, FoundSegment } from './directory.ts';
import { type Entries, MOST_SEGMENTS, replaces } from './entries.ts';
import type { Tombstone } from './tombstones.ts';
import { scan } from './scan.ts';
import { Segment } from './segment.ts';

/** Tombstones by key hash. */
export class Erasure {
  readonly #byHash = new Map<number, Tombstone[]>();

  add(one: Tombstone): void {
    const known = this.#byHash.get(one.hash);
    if (known === undefined) this.#byHash.set(one.hash, [one]);
    else known.push(one);
  }

  covers(segment: Segment, i: number): boolean {
    const known = this.#byHash.get(segment.hash(i));
    if (known === undefined) return false;
    return known.some(
      ({ identity, kind, number }) =>
        number > segment.number(i) &&
        (identity < 0 || identity === segment.identity(i)) &&
        (kind < 0 || replaces(kind, segment.kind(i))),
    );
  }
}

export interface Loading {
  readonly directory: Directory;
  readonly entries: Entries;
  readonly erasure: Erasure;
  readonly clock: Clock;
  /** The disk is closing. */
  readonly isOver: () => boolean;
  readonly unreadable: (error: unknown) => void;
}

/** `found`: from `directory.listSegments`. Throws nothing: unreadable segments are skipped and reported. */
export async function load(found: readonly FoundSegment[], loading: Loading): Promise<void> {
  for (const one of found.slice(0, MOST_SEGMENTS - 1)) {
    if (loading.isOver()) return;
    try {
      await loadOne(one, loading);
    } catch (error) {
      loading.unreadable(error);
    }
  }
}

async function loadOne({ id, bytes, columns }: FoundSegment, loading: Loading): Promise<void> {
  const { directory, entries, erasure, clock } = loading;
  const segment = bytes ? await segmentOf(directory, id, columns) : null;
  // A segment without a records file, or without records, is removed.
  if (segment === null || segment.count === 0) {
    await rm(directory.segmentFile(id, 'records'), { force: true });
    await rm(directory.segmentFile(id, 'columns'), { force: true });
    return;
  }
  entries.addSegment(segment);
  await new TimeSlicer(clock, true).each(parts(segment.count), (from) => {
    for (let i = from; i < Math.min(from + ROWS, segment.count); i++) {
      if (erasure.covers(segment, i)) segment.kill(i);
      else entries.insert({ segment, i });
    }
  });
}

async function segmentOf(directory: Directory, id: number, columns: boolean): Promise<Segment> {
  if (columns) {
    const known = Segment.of(id, await readFile(directory.segmentFile(id, 'columns')));
    if (known !== null) return known;
  }
  const segment = await scan(directory.segmentFile(id, 'records'), id);
  if (segment.count > 0) await writeColumns(directory, segment);
  return segment;
}

/** Throws the system's error. */
export async function writeColumns(directory: Directory, segment: Segment): Promise<void> {
  await writeFile(directory.segmentFile(segment.id, 'columns'), segment.columns(), { mode: 0o600 });
}

/** Records between two checks of the clock. */
const ROWS = 256;

function* parts(count: number): Iterable<number> {
  for (let from = 0; from < count; from += ROWS) yield from;
}
