/**
 * Disk reads, each shared by all concurrent requests for the same response. Hot, once per response found on disk.
 *
 * A record is served only if it is intact, matches the request, and was neither invalidated nor purged during the read.
 */
import type { Exchange } from '../../http/exchange.ts';
import { RANGE } from '../../http/known.ts';
import type { Clock } from '../../kit/clock.ts';
import { numberHash, OpenTable } from '../../kit/open-table.ts';
import type { DiskMetrics } from '../../observe/metrics.ts';
import type { StoredResponse } from '../store/stored-response.ts';
import { variantKey } from '../rules/vary.ts';
import type { Entries, Entry } from './entries.ts';
import { HEAD_ONLY, PART, readForm, restored, WHOLE, type Written } from './record-codec.ts';
import { identityHash, keyHash } from './hashes.ts';
import { GONE, type Purges } from './purges.ts';
import { readRecord } from './record.ts';
import { MOST_RECORDS } from './segment.ts';
import type { SegmentFiles } from './segment-files.ts';

export interface Seeker {
  /** Never called within the call to `look`. null: the read failed. */
  onDisk(stored: StoredResponse | null): void;
}

/** The request to look up. */
export interface Sought {
  readonly key: string;
  readonly scope: string;
  readonly x: Exchange;
  readonly statusHeader: boolean;
}

export interface LookupParts {
  readonly salt: string;
  readonly doubtful: () => number;
  readonly entries: Entries;
  readonly files: SegmentFiles;
  readonly purges: Purges;
  readonly metrics: DiskMetrics;
  readonly clock: Clock;
  /** Called with a response that was read, to make it available to later requests. */
  readonly found: (key: string, stored: StoredResponse) => void;
  /** The record is unreadable, and must not come back. */
  readonly broken: (entry: Entry, error: unknown) => void;
}

export class Lookup {
  #seekers: Seeker[] = [];
  readonly key: string;
  readonly scope: string;
  readonly varyNames: readonly string[];
  readonly variant: string;

  constructor(key: string, scope: string, varyNames: readonly string[], variant: string) {
    this.key = key;
    this.scope = scope;
    this.varyNames = varyNames;
    this.variant = variant;
  }

  isFor(key: string, scope: string, variant: string): boolean {
    return this.key === key && this.scope === scope && this.variant === variant;
  }

  join(seeker: Seeker): void {
    this.#seekers.push(seeker);
  }

  leave(seeker: Seeker): void {
    const index = this.#seekers.indexOf(seeker);
    if (index >= 0) this.#seekers.splice(index, 1);
  }

  get isWanted(): boolean {
    return this.#seekers.length > 0;
  }

  tell(stored: StoredResponse | null): void {
    const all = this.#seekers;
    this.#seekers = [];
    for (const seeker of all) seeker.onDisk(stored);
  }
}

const FOR_GET = [WHOLE];
const FOR_RANGE = [WHOLE, PART];
const FOR_HEAD = [WHOLE, HEAD_ONLY];

export class Lookups {
  readonly #parts: LookupParts;
  /** By the record that is read. */
  readonly #under = new OpenTable<number, Lookup>(numberHash);

  constructor(parts: LookupParts) {
    this.#parts = parts;
  }

  /** null: not found, or too many reads are pending. */
  look(sought: Sought, seeker: Seeker): Lookup | null {
    const { entries, salt, metrics } = this.#parts;
    const { key, scope, x } = sought;
    const kinds = x.method === 'HEAD' ? FOR_HEAD : x.fields.has(RANGE) ? FOR_RANGE : FOR_GET;
    const candidates = entries.find(keyHash(salt, key));
    for (const kind of kinds) {
      for (const entry of candidates) {
        const { segment, i } = entry;
        if (segment.kind(i) !== kind) continue;
        const varyNames = segment.varyNames(i);
        const variant = variantKey(varyNames, x.fields);
        if (identityHash(scope, varyNames, variant) !== segment.identity(i)) continue;
        const lookup = this.#under.get(nameOf(entry)) ?? this.#begin(entry, sought, varyNames, variant);
        if (lookup?.isFor(key, scope, variant)) {
          lookup.join(seeker);
          return lookup;
        }
      }
    }
    metrics.misses++;
    return null;
  }

  #begin(entry: Entry, { key, scope, statusHeader }: Sought, varyNames: readonly string[], variant: string) {
    const { segment, i } = entry;
    const lookup = new Lookup(key, scope, varyNames, variant);
    const name = nameOf(entry);
    const job = {
      segment: segment.id,
      offset: segment.offset(i),
      size: segment.size(i),
      // When the first read starts, no request has joined it yet.
      isWanted: () => this.#under.get(name) !== lookup || lookup.isWanted,
      done: (bytes: Buffer | null, code: string) => {
        this.#under.delete(name);
        const stored = bytes === null ? null : this.#read(entry, bytes, lookup, statusHeader);
        if (code !== '') this.#parts.broken(entry, Object.assign(new Error(code), { code }));
        if (stored === null) this.#parts.metrics.misses++;
        else {
          this.#parts.metrics.hits++;
          this.#parts.found(key, stored);
        }
        lookup.tell(stored);
      },
    };
    if (!this.#parts.files.ask(job)) return null;
    this.#under.set(name, lookup);
    return lookup;
  }

  #read(entry: Entry, bytes: Buffer, lookup: Lookup, statusHeader: boolean): StoredResponse | null {
    const { entries, purges, metrics, clock, doubtful } = this.#parts;
    const { segment, i } = entry;
    // It was killed, or a newer record replaced it.
    if (!entries.isLive(entry)) return null;
    const record = readRecord(bytes, { segment: segment.id, offset: segment.offset(i) });
    const form = record === null ? null : readForm(record.text.toString());
    if (record === null || form === null || record.number !== segment.number(i) || !isKind(form, segment.kind(i))) {
      metrics.corrupt++;
      entries.kill(entry);
      return null;
    }
    if (!isSame(form, lookup)) return null;
    const { number, hash } = record;
    const staleFrom = purges.judge({ number, hash, key: form.key, tags: form.head.tags });
    if (staleFrom === GONE) {
      entries.kill(entry);
      return null;
    }
    segment.hit(i);
    const body = form.headOnly ? null : record.body;
    return restored(form, body, { doubtful: number < doubtful(), staleFrom, statusHeader, clock });
  }
}

/** False for a hash collision or a corrupt record. */
function isSame({ key, head }: Written, lookup: Lookup): boolean {
  if (key !== lookup.key || head.scope !== lookup.scope || head.variant !== lookup.variant) return false;
  return head.varyNames.join() === lookup.varyNames.join();
}

function isKind({ headOnly, part }: Written, kind: number): boolean {
  return kind === (headOnly ? HEAD_ONLY : part === null ? WHOLE : PART);
}

const nameOf = ({ segment, i }: Entry): number => segment.id * MOST_RECORDS + i;
