/** The index of all records on disk, live and dead. Hot to query; the rest once per write. */
import type { RecordKey } from './record.ts';
import { HEAD_ONLY, PART, WHOLE } from './record-codec.ts';
import type { Segment } from './segment.ts';
import { refOf, rowOf, slotOf, Table } from './table.ts';

/** Responses for one key; the oldest are evicted first (store.ts). */
const MOST_VARIANTS = 64;
export const MOST_SEGMENTS = 65_535;

/** One record's place. */
export interface Entry {
  readonly segment: Segment;
  readonly i: number;
}

export class Entries {
  readonly #segments: (Segment | null)[] = [];
  readonly #table = new Table((ref) => this.#segments[slotOf(ref)]!.hash(rowOf(ref)));

  /** Number of live records. */
  get size(): number {
    return this.#table.size;
  }

  /** Size of the files of all segments. */
  get bytes(): number {
    let bytes = 0;
    for (const segment of this.segments) bytes += segment.footprint;
    return bytes;
  }

  /** Oldest first. */
  get segments(): Segment[] {
    return this.#segments.filter((one) => one !== null).toSorted((a, b) => a.id - b.id);
  }

  /** The lowest number of all records. */
  get lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const segment of this.#segments) if (segment !== null) lowest = Math.min(lowest, segment.lowest);
    return lowest;
  }

  addSegment(segment: Segment): void {
    const free = this.#segments.indexOf(null);
    segment.slot = free < 0 ? this.#segments.length : free;
    this.#segments[segment.slot] = segment;
  }

  /** Removes a segment with all its records. Returns how many of them were live. */
  removeSegment(segment: Segment): number {
    let count = 0;
    if (segment.slot < 0) return 0;
    for (let i = 0; i < segment.count; i++) {
      if (segment.isDead(i)) continue;
      count++;
      this.#table.remove(segment.hash(i), refOf(segment.slot, i));
      segment.kill(i);
    }
    this.#segments[segment.slot] = null;
    segment.slot = -1;
    return count;
  }

  isLive({ segment, i }: Entry): boolean {
    return segment.slot >= 0 && !segment.isDead(i);
  }

  /** Makes a segment's record live, unless a newer one is in its place; kills the records that it replaces. */
  insert({ segment, i }: Entry): void {
    // The segment has been removed meanwhile.
    if (segment.slot < 0) return;
    const hash = segment.hash(i);
    if (!this.#table.has(hash)) {
      this.#table.add(hash, refOf(segment.slot, i));
      return;
    }
    const rivals = this.find(hash);
    const number = segment.number(i);
    for (const rival of rivals) {
      const other = rival.segment;
      if (other.identity(rival.i) !== segment.identity(i)) continue;
      if (other.number(rival.i) >= number) {
        if (!replaces(other.kind(rival.i), segment.kind(i))) continue;
        segment.kill(i);
        return;
      }
      if (replaces(segment.kind(i), other.kind(rival.i))) this.kill(rival);
    }
    this.#table.add(hash, refOf(segment.slot, i));
    if (rivals.length < MOST_VARIANTS) return;
    const all = this.find(hash);
    if (all.length > MOST_VARIANTS) this.kill(all.at(-1)!);
  }

  /** The records for a key, newest first. */
  find(hash: number): Entry[] {
    const refs = this.#table.find(hash);
    const found = refs.map((ref) => ({ segment: this.#segments[slotOf(ref)]!, i: rowOf(ref) }));
    if (found.length > 1) found.sort((a, b) => b.segment.number(b.i) - a.segment.number(a.i));
    return found;
  }

  kill({ segment, i }: Entry): void {
    if (segment.isDead(i)) return;
    segment.kill(i);
    this.#table.remove(segment.hash(i), refOf(segment.slot, i));
  }

  /** Kills the records that a new one replaces. Returns whether there were any. */
  killReplaced({ hash, identity, kind }: Pick<RecordKey, 'hash' | 'identity' | 'kind'>): boolean {
    let any = false;
    for (const entry of this.find(hash)) {
      const { segment, i } = entry;
      if (segment.identity(i) !== identity || !replaces(kind, segment.kind(i))) continue;
      this.kill(entry);
      any = true;
    }
    return any;
  }
}

/** Would a request that finds one of two records with the same identity find the other too (store.ts)? */
export function replaces(kind: number, other: number): boolean {
  if (kind === HEAD_ONLY || other === HEAD_ONLY) return kind === other;
  return kind === WHOLE || other === PART;
}
