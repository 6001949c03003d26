/**
 * Finds the first route whose every condition holds, at a cost that does not grow with the number of routes. Hot.
 *
 * Compiled by runtime/bind.ts for each listener of a snapshot: host → path → the other conditions. A route may stand
 * under several hosts; all indexes that can match are asked, and the lowest place in the config wins.
 */
import type { Exchange } from '../http/exchange.ts';
import type { MatchPlan } from '../plan/types.ts';
import { type Entry, PathIndex } from './path-index.ts';
import { compilePredicate } from './predicates.ts';

export class Router<T> {
  readonly #any = new PathIndex<T>();
  readonly #exact = new Map<string, PathIndex<T>>();
  /** By ".example.com", for "*.example.com". */
  readonly #wildcards = new Map<string, PathIndex<T>>();

  #count = 0;

  /** Routes come in the order of their precedence. Cold. */
  add(match: MatchPlan, value: T): void {
    const entry: Entry<T> = { order: this.#count++, predicate: compilePredicate(match), value };
    if (match.hosts === null) this.#any.add(match.path, entry);
    else for (const host of match.hosts) this.#of(host).add(match.path, entry);
  }

  match(x: Exchange): T | undefined {
    let best = this.#any.find(x, null);
    if (this.#exact.size === 0 && this.#wildcards.size === 0) return best?.value;
    // The dot that makes a name absolute makes it no other name; the plan takes it off too.
    const host = x.host.endsWith('.') ? x.host.slice(0, -1) : x.host;
    if (this.#exact.size > 0) {
      const index = this.#exact.get(host);
      if (index !== undefined) best = index.find(x, best);
    }
    if (this.#wildcards.size > 0) {
      for (let dot = host.indexOf('.', 1); dot > 0; dot = host.indexOf('.', dot + 1)) {
        const index = this.#wildcards.get(host.slice(dot));
        if (index !== undefined) best = index.find(x, best);
      }
    }
    return best?.value;
  }

  #of(host: string): PathIndex<T> {
    const wildcard = host.startsWith('*');
    const map = wildcard ? this.#wildcards : this.#exact;
    const key = wildcard ? host.slice(1) : host;
    let index = map.get(key);
    if (index === undefined) map.set(key, (index = new PathIndex()));
    return index;
  }
}
