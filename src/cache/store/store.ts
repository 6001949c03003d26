/**
 * Stored responses by key, within a number of bytes; the least recently used make room. Hot to find, cold otherwise.
 *
 * All that is stored under one key is one entry of the LRU list, so that a URL is found, counted and forgotten as a whole,
 * however many variants it has. Such a group never becomes another size: another takes its place, and its size with it.
 */
import { LRUCache } from 'lru-cache';
import type { Fields } from '../../http/fields.ts';
import { detachString } from '../../kit/detach-string.ts';
import type { FillRoom } from '../request/streaming-body.ts';
import type { StoredResponse } from './stored-response.ts';

/** Responses under one key; the oldest give way. A Vary on what each client has differently must not fill the store. */
const MOST_VARIANTS = 64;
/** Bytes that a stored response takes besides its key, its field lines and its body: resident memory, measured (docs/performance.md). */
const OVERHEAD = 2048;

export interface StoreCounts {
  evictions: number;
}

interface Group {
  readonly key: string;
  /** The first of them: mostly the only one, and mostly what is asked for. */
  newest: StoredResponse;
  /** The newest first. */
  responses: readonly StoredResponse[];
}

function sizeOf({ key, responses }: Group): number {
  let size = key.length;
  for (const { head, length, headOnly } of responses)
    size += OVERHEAD + head.lines.length + head.variant.length + (headOnly ? 0 : length);
  return size;
}

export class Store implements FillRoom {
  readonly #counts: StoreCounts;
  #maxSize: number;
  #groups = this.#list();
  /** Responses in all groups. */
  #count = 0;
  /** The keys of all groups, and by what their responses can be purged by. */
  #keys = new Set<string>();
  #tagged = new Map<string, Set<string>>();
  /** Bytes of bodies that still come. */
  #coming = 0;

  constructor(maxSize: number, counts: StoreCounts) {
    this.#counts = counts;
    this.#maxSize = maxSize;
  }

  #list(): LRUCache<string, Group> {
    return new LRUCache<string, Group>({
      // It counts the bytes. How many there may be is not for it to say: that changes, and bodies that come count too.
      maxSize: Number.MAX_SAFE_INTEGER,
      dispose: (group, key, reason) => {
        if (reason === 'evict') this.#counts.evictions += group.responses.length;
        this.#count -= group.responses.length;
        // Where another takes its place, what is known by the key keeps its place too.
        if (reason === 'set') return;
        for (const one of group.responses) one.forget();
        this.#keys.delete(key);
        for (const tag of tagsOf(group.responses)) this.#untag(tag, key);
      },
    });
  }

  /** Bytes in use, of bodies that still come too. */
  get size(): number {
    return this.#groups.calculatedSize + this.#coming;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Of these bytes, those of bodies that still come. */
  get coming(): number {
    return this.#coming;
  }

  /** Keys, and responses under them. */
  get entries(): number {
    return this.#groups.size;
  }

  get responses(): number {
    return this.#count;
  }

  /** The newest whole response that was stored for such a request (RFC 9111 §4, §4.1). */
  find(key: string, scope: string, request: Fields): StoredResponse | null {
    const group = this.#groups.get(key);
    if (group === undefined) return null;
    const { newest } = group;
    if (newest.isWholeFor(scope, request)) return seen(newest);
    const { responses } = group;
    for (let i = 1; i < responses.length; i++) {
      const one = responses[i]!;
      if (one.isWholeFor(scope, request)) return seen(one);
    }
    return null;
  }

  /** The same, without counting as a use of it. */
  peek(key: string, scope: string, request: Fields): StoredResponse | null {
    return this.all(key).find((one) => one.isWholeFor(scope, request)) ?? null;
  }

  /** Others that were stored for such a request: parts, and answers to HEAD. */
  findOther(key: string, scope: string, request: Fields, headOnly: boolean): StoredResponse | null {
    for (const one of this.all(key))
      if (one.headOnly === headOnly && (headOnly || one.part !== null) && one.isFor(scope, request)) return one;
    return null;
  }

  /** Everything that is stored under a key, for whomever. */
  all(key: string): readonly StoredResponse[] {
    const all = this.#all(key);
    for (const one of all) one.seen();
    return all;
  }

  #all(key: string): readonly StoredResponse[] {
    return this.#groups.peek(key)?.responses ?? [];
  }

  /** Stores it in place of what it replaces. */
  put(key: string, response: StoredResponse): void {
    const rest = this.#all(key).filter((other) => !replaces(response, other));
    // A key is put together for each request; the one that is kept is a text of its own.
    this.#set(this.#groups.peek(key)?.key ?? detachString(key), [response, ...rest].slice(0, MOST_VARIANTS));
  }

  /** Takes one response out. */
  drop(key: string, response: StoredResponse): void {
    const all = this.#all(key);
    if (!all.includes(response)) return;
    const rest = all.filter((other) => other !== response);
    if (rest.length === 0) this.#groups.delete(key);
    else this.#set(key, rest);
  }

  /** Takes out all that is stored under a key; answers how many responses that were. */
  delete(key: string): number {
    const { length } = this.#all(key);
    this.#groups.delete(key);
    return length;
  }

  /** `responses`: at least one. */
  #set(key: string, responses: readonly StoredResponse[]): void {
    const group = { key, newest: responses[0]!, responses };
    const size = sizeOf(group);
    if (size > this.#maxSize) {
      this.#groups.delete(key);
      return;
    }
    const before = tagsOf(this.#all(key));
    this.#groups.set(key, group, { size });
    this.#count += responses.length;
    this.#keys.add(key);
    const tags = tagsOf(responses);
    for (const tag of before) if (!tags.has(tag)) this.#untag(tag, key);
    for (const tag of tags) this.#tag(tag, key);
    this.#makeRoom();
  }

  /** May be gone through in slices, while others come and go. */
  keys(): Iterable<string> {
    return asOfNow(this.#keys);
  }

  keysTagged(tag: string): Iterable<string> {
    return asOfNow(this.#tagged.get(tag) ?? NOTHING);
  }

  #tag(tag: string, key: string): void {
    let keys = this.#tagged.get(tag);
    if (keys === undefined) this.#tagged.set(tag, (keys = new Set()));
    keys.add(key);
  }

  #untag(tag: string, key: string): void {
    const keys = this.#tagged.get(tag);
    keys?.delete(key);
    if (keys?.size === 0) this.#tagged.delete(tag);
  }

  // === room

  reserve(bytes: number): boolean {
    if (this.#coming + bytes > this.#maxSize) return false;
    this.#coming += bytes;
    this.#makeRoom();
    return true;
  }

  release(bytes: number): void {
    this.#coming -= bytes;
  }

  #makeRoom(): void {
    while (this.#groups.size > 0 && this.size > this.#maxSize) this.#groups.pop();
  }

  /** From now on it may take so many bytes. */
  resize(maxSize: number): void {
    if (maxSize === this.#maxSize) return;
    this.#maxSize = maxSize;
    this.#makeRoom();
  }

  // === purging

  /** Takes out those of a key's responses that are meant. Answers how many these were. */
  purge(key: string, isMeant: (one: StoredResponse) => boolean): number {
    const all = this.#all(key);
    const rest = all.filter((one) => !isMeant(one));
    if (rest.length === 0) this.#groups.delete(key);
    else if (rest.length < all.length) this.#set(key, rest);
    return all.length - rest.length;
  }

  /** Makes them stale in their places instead. Answers how many were not. `now`: monotonic ms. */
  makeStale(key: string, isMeant: (one: StoredResponse) => boolean, now: number): number {
    const group = this.#groups.peek(key);
    if (group === undefined) return 0;
    let count = 0;
    group.responses = group.responses.map((one) => {
      const stale = isMeant(one) ? one.staleAt(now) : one;
      if (stale !== one) count++;
      return stale;
    });
    group.newest = group.responses[0]!;
    return count;
  }

  /** Forgets everything at once, however much there is. Answers how many responses that were. */
  clear(): number {
    const count = this.#count;
    this.#groups = this.#list();
    this.#keys = new Set();
    this.#tagged = new Map();
    this.#count = 0;
    return count;
  }
}

const NOTHING: ReadonlySet<string> = new Set();

function tagsOf(responses: readonly StoredResponse[]): ReadonlySet<string> {
  if (responses.every(({ head }) => head.tags.length === 0)) return NOTHING;
  return new Set(responses.flatMap(({ head }) => head.tags));
}

function seen(one: StoredResponse): StoredResponse {
  one.seen();
  return one;
}

/** Those that are there when their turn comes; as many as there are now, so that it ends however many come. */
function* asOfNow(keys: ReadonlySet<string>): Generator<string> {
  let left = keys.size;
  for (const key of keys) {
    if (left-- === 0) return;
    yield key;
  }
}

/** Would a request that found the one find the other as well, and get the same kind of thing? */
function replaces(one: StoredResponse, other: StoredResponse): boolean {
  const [a, b] = [one.head, other.head];
  if (a.scope !== b.scope || one.headOnly !== other.headOnly) return false;
  // RFC 9111 §4.1: the newest Vary is the one that selects; what was selected by another is not asked for any more.
  if (a.varyNames.join() !== b.varyNames.join()) return one.part === null;
  if (a.variant !== b.variant) return false;
  // Parts give way to a whole, but not the other way round.
  return one.part === null || other.part !== null;
}
