/**
 * Stored responses by key, limited in bytes; the least recently used are evicted. Hot to find, cold otherwise.
 *
 * All responses for one key are one entry of the LRU list, so that a URL is found, counted and removed as a whole,
 * however many variants it has. A group is never resized: a new group replaces it, with its own size.
 */
import { LRUCache } from 'lru-cache';
import type { Fields } from '../../http/fields.ts';
import { detachString } from '../../kit/detach-string.ts';
import type { BodyMemory } from '../request/streaming-body.ts';
import type { StoredResponse } from './stored-response.ts';

/**
 * Responses for one key; the oldest are evicted first. A Vary on a field that differs for each client must not fill the
 * store.
 */
const MOST_VARIANTS = 64;
/**
 * Bytes that a stored response uses besides its key, its fields and its body: resident memory, measured
 * (docs/performance.md).
 */
const OVERHEAD = 2048;

export interface StoreCounts {
  evictions: number;
}

interface Group {
  readonly key: string;
  /** The first of the responses: mostly the only one, and mostly the requested one. */
  newest: StoredResponse;
  /** Newest first. */
  responses: readonly StoredResponse[];
}

function sizeOf({ key, responses }: Group): number {
  let size = key.length;
  for (const { head, length, headOnly } of responses)
    size += OVERHEAD + head.fields.size + head.variant.length + (headOnly ? 0 : length);
  return size;
}

export class Store implements BodyMemory {
  readonly #counts: StoreCounts;
  #maxSize: number;
  #groups = this.#list();
  /** Number of responses in all groups. */
  #count = 0;
  /** The keys of all groups, and the keys by tag. */
  #keys = new Set<string>();
  #tagged = new Map<string, Set<string>>();
  /** Bytes of bodies in progress. */
  #coming = 0;

  constructor(maxSize: number, counts: StoreCounts) {
    this.#counts = counts;
    this.#maxSize = maxSize;
  }

  #list(): LRUCache<string, Group> {
    return new LRUCache<string, Group>({
      // The list only counts bytes. The limit is enforced here, since it changes, and bodies in progress count too.
      maxSize: Number.MAX_SAFE_INTEGER,
      dispose: (group, key, reason) => {
        if (reason === 'evict') this.#counts.evictions += group.responses.length;
        this.#count -= group.responses.length;
        // When another group replaces it, data under the same key stays.
        if (reason === 'set') return;
        for (const one of group.responses) one.forget();
        this.#keys.delete(key);
        for (const tag of tagsOf(group.responses)) this.#untag(tag, key);
      },
    });
  }

  /** Bytes in use, bodies in progress included. */
  get size(): number {
    return this.#groups.calculatedSize + this.#coming;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Bytes of bodies in progress. */
  get coming(): number {
    return this.#coming;
  }

  /** Number of keys, and of responses for them. */
  get entries(): number {
    return this.#groups.size;
  }

  get responses(): number {
    return this.#count;
  }

  /** The newest complete response that matches the request (RFC 9111 §4, §4.1). */
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

  /** The same, without counting as a use. */
  peek(key: string, scope: string, request: Fields): StoredResponse | null {
    return this.all(key).find((one) => one.isWholeFor(scope, request)) ?? null;
  }

  /** Other responses that match the request: parts, and responses to HEAD. */
  findOther(key: string, scope: string, request: Fields, headOnly: boolean): StoredResponse | null {
    for (const one of this.all(key))
      if (one.headOnly === headOnly && (headOnly || one.part !== null) && one.isFor(scope, request)) return one;
    return null;
  }

  /** All responses for a key, for any request. */
  all(key: string): readonly StoredResponse[] {
    const all = this.#all(key);
    for (const one of all) one.seen();
    return all;
  }

  #all(key: string): readonly StoredResponse[] {
    return this.#groups.peek(key)?.responses ?? [];
  }

  /** Stores a response, and removes those that it replaces. */
  put(key: string, response: StoredResponse): void {
    const rest = this.#all(key).filter((other) => !replaces(response, other));
    // Keys are built for each request; the stored key is a detached string.
    this.#set(this.#groups.peek(key)?.key ?? detachString(key), [response, ...rest].slice(0, MOST_VARIANTS));
  }

  /** Removes one response. */
  drop(key: string, response: StoredResponse): void {
    const all = this.#all(key);
    if (!all.includes(response)) return;
    const rest = all.filter((other) => other !== response);
    if (rest.length === 0) this.#groups.delete(key);
    else this.#set(key, rest);
  }

  /** Removes all responses for a key; returns their number. */
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

  /** Iterable in time slices, while keys are added and removed. */
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

  // === size limit

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

  /** Sets the size limit in bytes. */
  resize(maxSize: number): void {
    if (maxSize === this.#maxSize) return;
    this.#maxSize = maxSize;
    this.#makeRoom();
  }

  // === purging

  /** Removes matching responses for a key. Returns their number. */
  purge(key: string, isMeant: (one: StoredResponse) => boolean): number {
    const all = this.#all(key);
    const rest = all.filter((one) => !isMeant(one));
    if (rest.length === 0) this.#groups.delete(key);
    else if (rest.length < all.length) this.#set(key, rest);
    return all.length - rest.length;
  }

  /** Makes matching responses stale in place. Returns how many were fresh before. `now`: monotonic ms. */
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

  /** Removes everything at once, in constant time. Returns the number of responses. */
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

/**
 * The keys that still exist when their turn comes; at most as many as exist now, so that it ends even if keys are
 * added.
 */
function* asOfNow(keys: ReadonlySet<string>): Generator<string> {
  let left = keys.size;
  for (const key of keys) {
    if (left-- === 0) return;
    yield key;
  }
}

/** Would a request that finds one of them find the other, and for the same kind of reply? */
function replaces(one: StoredResponse, other: StoredResponse): boolean {
  const [a, b] = [one.head, other.head];
  if (a.scope !== b.scope || one.headOnly !== other.headOnly) return false;
  // RFC 9111 §4.1: the newest Vary selects; responses selected by another are no longer used.
  if (a.varyNames.join() !== b.varyNames.join()) return one.part === null;
  if (a.variant !== b.variant) return false;
  // A complete response replaces parts, but not the other way round.
  return one.part === null || other.part !== null;
}
