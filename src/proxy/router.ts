/**
 * Finds the first route whose conditions all hold, at a cost that does not grow with the number of routes. Hot.
 *
 * Compiled by runtime/snapshot/bind.ts for each listener of a snapshot: host → path → the other conditions. A route may
 * have several hosts; the router queries every index that can match, and the first route in the config wins.
 */
import type { Exchange } from '../http/exchange.ts';
import type { MatchPlan } from '../plan/types/match.ts';
import { compilePattern, type Entry, PathIndex, type Edit } from './path-index.ts';
import { compilePredicate } from './predicates.ts';

export interface Routed<T> {
  readonly match: MatchPlan;
  readonly value: T;
}

/** The gap between the orders of two neighbours, so that edits can insert routes between them. */
const SPACING = 1024;

/** The key for routes that match any host. */
const ANY = '';

export class Router<T> {
  #any = new PathIndex<T>();
  #exact = new Map<string, PathIndex<T>>();
  /** By ".example.com", for "*.example.com". */
  #wildcards = new Map<string, PathIndex<T>>();
  /** One for each route, ascending. */
  #orders: number[] = [];

  /** Routes are added in the order of their precedence. Cold. */
  add(match: MatchPlan, value: T): void {
    const order = this.#orders.length === 0 ? 0 : this.#orders.at(-1)! + SPACING;
    this.#orders.push(order);
    const entry = entryOf(match, value, order);
    for (const host of match.hosts ?? [ANY]) this.#of(host).add(match.path, entry);
  }

  /**
   * An edited copy, with `come` in place of the routes from `start` on, whose matches were `gone`. It shares all
   * unchanged parts with this one. null: there is no room between the neighbours. Cold.
   */
  edited(start: number, gone: readonly MatchPlan[], come: readonly Routed<T>[]): Router<T> | null {
    const end = start + gone.length;
    const orders = ordersBetween(this.#orders, start, end, come.length);
    if (orders === null) return null;
    const edits = new Map<string, Edit<T>>();
    const editOf = (host: string): Edit<T> => {
      let edit = edits.get(host);
      if (edit === undefined) edits.set(host, (edit = { gone: [], come: [] }));
      return edit;
    };
    for (const [i, { hosts, path }] of gone.entries())
      for (const host of hosts ?? [ANY]) editOf(host).gone.push({ path, order: this.#orders[start + i]! });
    for (const [i, { match, value }] of come.entries()) {
      const entry = entryOf(match, value, orders[i]!);
      for (const host of match.hosts ?? [ANY]) editOf(host).come.push({ path: match.path, entry });
    }
    const next = new Router<T>();
    next.#any = this.#any;
    next.#exact = new Map(this.#exact);
    next.#wildcards = new Map(this.#wildcards);
    next.#orders = [...this.#orders.slice(0, start), ...orders, ...this.#orders.slice(end)];
    for (const [host, edit] of edits) next.#put(host, next.#of(host).edited(edit));
    return next;
  }

  match(x: Exchange): T | undefined {
    let best = this.#any.find(x, null);
    if (this.#exact.size === 0 && this.#wildcards.size === 0) return best?.value;
    // A trailing dot makes a name absolute, but not a different name; the plan removes it too.
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
    if (host === ANY) return this.#any;
    const [map, key] = this.#placeOf(host);
    let index = map.get(key);
    if (index === undefined) map.set(key, (index = new PathIndex()));
    return index;
  }

  #put(host: string, index: PathIndex<T>): void {
    const [map, key] = this.#placeOf(host);
    if (host === ANY) this.#any = index;
    else if (index.empty) map.delete(key);
    else map.set(key, index);
  }

  #placeOf(host: string): readonly [Map<string, PathIndex<T>>, string] {
    return host.startsWith('*') ? [this.#wildcards, host.slice(1)] : [this.#exact, host];
  }
}

function entryOf<T>(match: MatchPlan, value: T, order: number): Entry<T> {
  return { order, predicate: compilePredicate(match), pattern: compilePattern(match.path), value };
}

/** `count` orders in place of those from `start` up to `end`. null: there is no room for that many. */
function ordersBetween(orders: readonly number[], start: number, end: number, count: number): number[] | null {
  if (end - start === count) return orders.slice(start, end);
  const room = (count + 1) * SPACING;
  const before = start === 0 ? (orders[end] ?? 0) - room : orders[start - 1]!;
  const after = end === orders.length ? before + room : orders[end]!;
  const step = Math.floor((after - before) / (count + 1));
  return step < 1 ? null : Array.from({ length: count }, (_, i) => before + (i + 1) * step);
}
