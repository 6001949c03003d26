/**
 * Purges that records on disk may still match. They are evaluated when a record is read, so that a purge of a million
 * responses costs one line. Cold to add, hot to evaluate.
 *
 * A purge applies to every record with a lower number than its own.
 */

import { type Matcher, matcherOf } from '../store/purge-order.ts';

/** What a purge selects: everything, a host, a URL prefix, a tag, or one URL by the hash of its key. */
export type PurgeKind = 'all' | 'host' | 'prefix' | 'tag' | 'key';

export interface Purge {
  readonly kind: PurgeKind;
  readonly value: string;
  /** Matching records become stale, and are not removed. */
  readonly soft: boolean;
  readonly number: number;
  /** Epoch ms. */
  readonly at: number;
}

/** The properties of a record that purges match. */
export interface Purged {
  readonly number: number;
  readonly hash: number;
  readonly key: string;
  readonly tags: readonly string[];
}

export const GONE = Number.NEGATIVE_INFINITY;
const UNTOUCHED = Number.POSITIVE_INFINITY;

export class Purges {
  /** The newest purge by kind and value. */
  readonly #hard = new Map<string, Purge>();
  readonly #soft = new Map<string, Purge>();
  /** Key matchers of host and prefix purges. */
  readonly #matchers = new Map<string, Matcher>();

  get size(): number {
    return this.#hard.size + this.#soft.size;
  }

  get all(): Purge[] {
    return [...this.#hard.values(), ...this.#soft.values()].toSorted((a, b) => a.number - b.number);
  }

  add(purge: Purge): void {
    const name = nameOf(purge.kind, purge.value);
    (purge.soft ? this.#soft : this.#hard).set(name, purge);
    const { kind, value } = purge;
    if (kind === 'prefix' || kind === 'host') this.#matchers.set(name, matcherOf(kind, [value]));
  }

  /** Drops purges that no record is old enough for. `lowest`: the lowest number of a record. */
  forget(lowest: number): void {
    const kept = this.all.filter(({ number }) => number > lowest);
    this.clear();
    for (const purge of kept) this.add(purge);
  }

  clear(): void {
    this.#hard.clear();
    this.#soft.clear();
    this.#matchers.clear();
  }

  /** GONE, UNTOUCHED, or the date since when it is stale. */
  judge(record: Purged): number {
    if (this.size === 0) return UNTOUCHED;
    let staleFrom = UNTOUCHED;
    for (const name of this.#namesFor(record)) {
      const hard = this.#hard.get(name);
      if (hard !== undefined && hard.number > record.number) return GONE;
      const soft = this.#soft.get(name);
      if (soft !== undefined && soft.number > record.number) staleFrom = Math.min(staleFrom, soft.at);
    }
    return staleFrom;
  }

  /** The names of all purges that match the record. */
  #namesFor({ hash, key, tags }: Purged): string[] {
    const names = [nameOf('all', ''), nameOf('key', String(hash))];
    for (const tag of tags) names.push(nameOf('tag', tag));
    for (const [name, matches] of this.#matchers) if (matches(key)) names.push(name);
    return names;
  }
}

const nameOf = (kind: PurgeKind, value: string): string => `${kind} ${value}`;
