/**
 * Stored responses by key, within a number of bytes; the least recently used make room. Hot to find, cold otherwise.
 *
 * All that is stored under one key is one entry of the LRU list, so that a URL is found, counted and forgotten as a whole,
 * however many variants it has. Such a group is never changed: another takes its place, and its size with it.
 */
import { LRUCache } from 'lru-cache';
import type { Fields } from '../http/fields.ts';
import type { FillRoom } from './fill.ts';
import type { StoredResponse } from './stored-response.ts';
import { variantKey } from './vary.ts';

/** Responses under one key; the oldest give way. A Vary on what each client has differently must not fill the store. */
const MOST_VARIANTS = 64;
/** Bytes that a stored response takes besides its key, its field lines and its body; measured, rounded up. */
const OVERHEAD = 1024;

export interface StoreCounts {
  evictions: number;
}

interface Group {
  readonly key: string;
  /** The newest first. */
  readonly responses: readonly StoredResponse[];
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
  #groups: LRUCache<string, Group>;
  /** Keys by what their responses can be purged by. */
  readonly #tagged = new Map<string, Set<string>>();
  /** Bytes of bodies that still come. */
  #coming = 0;

  constructor(maxSize: number, counts: StoreCounts) {
    this.#counts = counts;
    this.#maxSize = maxSize;
    this.#groups = this.#list(maxSize);
  }

  #list(maxSize: number): LRUCache<string, Group> {
    return new LRUCache<string, Group>({
      // Nothing at all may be kept, which the list has no word for.
      maxSize: Math.max(1, maxSize),
      dispose: (group, key, reason) => {
        if (reason === 'evict') this.#counts.evictions += group.responses.length;
        this.#untag(group, key);
      },
    });
  }

  /** Bytes in use, of bodies that still come too. */
  get size(): number {
    return this.#groups.calculatedSize + this.#coming;
  }

  get entries(): number {
    return this.#groups.size;
  }

  /** The newest whole response that was stored for such a request (RFC 9111 §4, §4.1). */
  find(key: string, scope: string, request: Fields): StoredResponse | null {
    const group = this.#groups.get(key);
    if (group === undefined) return null;
    const { responses } = group;
    for (let i = 0; i < responses.length; i++) {
      const one = responses[i]!;
      if (one.part === null && !one.headOnly && isFor(one, scope, request)) return one;
    }
    return null;
  }

  /** Others that were stored for such a request: parts, and answers to HEAD. */
  findOther(key: string, scope: string, request: Fields, headOnly: boolean): StoredResponse | null {
    for (const one of this.all(key))
      if (one.headOnly === headOnly && (headOnly || one.part !== null) && isFor(one, scope, request)) return one;
    return null;
  }

  /** Everything that is stored under a key, for whomever. */
  all(key: string): readonly StoredResponse[] {
    return this.#groups.peek(key)?.responses ?? [];
  }

  /** Stores it in place of what it replaces. */
  put(key: string, response: StoredResponse): void {
    const rest = this.all(key).filter((other) => !replaces(response, other));
    this.#set(key, [response, ...rest].slice(0, MOST_VARIANTS));
  }

  /** Takes one response out. */
  drop(key: string, response: StoredResponse): void {
    const all = this.all(key);
    if (!all.includes(response)) return;
    const rest = all.filter((other) => other !== response);
    if (rest.length === 0) this.#groups.delete(key);
    else this.#set(key, rest);
  }

  /** Takes out all that is stored under a key; answers how many responses that were. */
  delete(key: string): number {
    const { length } = this.all(key);
    this.#groups.delete(key);
    return length;
  }

  #set(key: string, responses: readonly StoredResponse[]): void {
    const group = { key, responses };
    const size = sizeOf(group);
    if (size > this.#maxSize) {
      this.#groups.delete(key);
      return;
    }
    this.#groups.set(key, group, { size });
    for (const { head } of responses) for (const tag of head.tags) this.#tag(tag, key);
    this.#makeRoom();
  }

  keys(): IterableIterator<string> {
    return this.#groups.keys();
  }

  keysTagged(tag: string): readonly string[] {
    return [...(this.#tagged.get(tag) ?? [])];
  }

  #tag(tag: string, key: string): void {
    let keys = this.#tagged.get(tag);
    if (keys === undefined) this.#tagged.set(tag, (keys = new Set()));
    keys.add(key);
  }

  #untag({ responses }: Group, key: string): void {
    for (const { head } of responses) {
      for (const tag of head.tags) {
        const keys = this.#tagged.get(tag);
        keys?.delete(key);
        if (keys?.size === 0) this.#tagged.delete(tag);
      }
    }
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
    const old = this.#groups;
    this.#maxSize = maxSize;
    this.#groups = this.#list(maxSize);
    const all: [string, Group][] = [...old.entries()].toReversed();
    this.#tagged.clear();
    for (const [key, { responses }] of all) this.#set(key, responses);
  }

  clear(): void {
    this.#groups.clear();
    this.#tagged.clear();
  }
}

function isFor({ head }: StoredResponse, scope: string, request: Fields): boolean {
  if (head.scope !== scope) return false;
  return head.varyNames.length === 0 || head.variant === variantKey(head.varyNames, request);
}

/** Would a request that found the one find the other as well, and get the same kind of thing? */
function replaces(one: StoredResponse, other: StoredResponse): boolean {
  const [a, b] = [one.head, other.head];
  if (a.scope !== b.scope || one.headOnly !== other.headOnly) return false;
  if (a.varyNames.join() !== b.varyNames.join() || a.variant !== b.variant) return false;
  // Parts give way to a whole, but not the other way round.
  return one.part === null || other.part !== null;
}
