/**
 * Compares routes: added, removed, changed and moved ones, and requests that another route now serves. Cold.
 *
 * Statements about requests are either certain or conservative: `none` means that a move changes the route of no
 * request; `takes_from` and `gives_to` name routes that may match the same requests.
 */
import { commonAffixes } from '../../kit/common-affixes.ts';
import { covers } from '../unreachable-routes.ts';
import type { RoutePlan } from '../types.ts';
import { AccessNotes, handedOver, guardedAccess } from './access.ts';
import type { Change, OrderChange, SettingChange } from './changes.ts';
import { movedOf } from './order.ts';
import { mayMeet } from './overlap.ts';
import { alike, policyOrder, settingsBetween, type Terms } from './reading.ts';

/** The most pairs of routes that are compared; beyond it, the effect of their order is unknown. */
const MOST_PAIRS = 1_000_000;
/** The most routes that are named. */
const MOST_NAMED = 10;

interface Placed {
  readonly route: RoutePlan;
  readonly place: number;
}

function byName(routes: readonly Placed[]): Map<string, Placed> {
  return new Map(routes.map((one) => [one.route.name, one]));
}

function placed(routes: readonly RoutePlan[], from: number, to: number): Placed[] {
  return routes.slice(from, to).map((route, i) => ({ route, place: from + i }));
}

/** A route's settings as the config writes them. */
function written({ name: _, action, ...others }: RoutePlan): object {
  // A setting that is added or removed is reported by itself.
  const rest = {
    ...others,
    timeouts: others.timeouts ?? {},
    limits: others.limits ?? {},
    retries: others.retries ?? {},
  };
  if (action.type === 'pool') return { ...rest, pool: action.pool };
  if (action.type === 'split') return { ...rest, split: action.parts, splitBy: action.by };
  const { type, ...own } = action;
  return { ...rest, [type]: 'redirect' in own ? own.redirect : own };
}

/** The handling of a request at a route, regardless of how it matched. */
function served({ action, policies, mirror, timeouts, limits, retries }: RoutePlan): object {
  return { action, policies, mirror, timeouts, limits, retries };
}

export class RouteDiff {
  readonly #before: readonly RoutePlan[];
  readonly #list: readonly RoutePlan[];
  /** The old position of each route, by name. Built when first needed: most edits don't need it. */
  #places: ReadonlyMap<string, number> | null = null;
  readonly #terms: Terms;
  #pairs = MOST_PAIRS;

  constructor(before: readonly RoutePlan[], after: readonly RoutePlan[], terms: Terms) {
    this.#before = before;
    this.#list = after;
    this.#terms = terms;
  }

  /** Yields each change, and now and then null to let other work run. */
  *changes(): Generator<Change | null> {
    // Identical objects have no changes to report.
    const [start, end] = yield* commonAffixes(this.#before, this.#list, Object.is);
    const before = placed(this.#before, start, this.#before.length - end);
    const after = placed(this.#list, start, this.#list.length - end);
    const [was, now] = [byName(before), byName(after)];
    for (const one of before) {
      yield null;
      if (!now.has(one.route.name)) yield this.#removed(one);
    }
    const stayed = after.filter(({ route }) => was.has(route.name));
    const moved = movedOf(stayed.map(({ route }) => was.get(route.name)!.place));
    const movedNames = new Set([...moved].map((i) => stayed[i]!.route.name));
    for (const one of after) {
      yield null;
      const old = was.get(one.route.name);
      if (old === undefined) yield this.#added(one);
      else yield this.#kept(old, one, movedNames.has(one.route.name));
    }
  }

  #was(name: string): Placed | undefined {
    this.#places ??= new Map(this.#before.map((route, place) => [route.name, place]));
    const place = this.#places.get(name);
    return place === undefined ? undefined : { route: this.#before[place]!, place };
  }

  #added(one: Placed): Change {
    const { route } = one;
    const takes = this.#following(one.place, (other) => mayMeet(route, other), route);
    const notes = new AccessNotes();
    for (const other of takes.routes) handedOver(this.#was(other.name)?.route ?? other, route, notes);
    const settings = settingsBetween('route', null, essence(route), this.#terms);
    const order = this.#order(null, one, { takes: takes.routes, gives: [], unrouted: false, known: takes.known });
    return changeOf(route, 'added', settings, notes, order);
  }

  #removed(one: Placed): Change {
    const { route } = one;
    const gives = this.#successors(one, () => true);
    const notes = new AccessNotes();
    for (const other of gives.routes) handedOver(route, other, notes);
    const settings = settingsBetween('route', essence(route), null, this.#terms);
    const unrouted = gives.known && !gives.covered;
    const order = this.#order(one, null, { takes: [], gives: gives.routes, unrouted, known: gives.known });
    return changeOf(route, 'removed', settings, notes, order);
  }

  #kept(old: Placed, one: Placed, moved: boolean): Change | null {
    const settings = alike(old.route, one.route)
      ? []
      : settingsBetween('route', written(old.route), written(one.route), this.#terms);
    settings.push(...policyOrder(old.route.policies, one.route.policies));
    if (settings.length === 0 && !moved) return null;
    const notes = new AccessNotes();
    guardedAccess(old.route, one.route, notes);
    const matched = settings.some(({ setting }) => /^(match|listeners)(\.|$)/.test(setting));
    const order = matched ? this.#rematched(old, one, notes) : moved ? this.#moved(old, one, notes) : null;
    return changeOf(one.route, settings.length === 0 ? 'moved' : 'changed', settings, notes, order);
  }

  /** The route now matches other requests than before. */
  #rematched(old: Placed, one: Placed, notes: AccessNotes): OrderChange {
    const takes = covers(old.route, one.route)
      ? { routes: [], known: true }
      : this.#following(one.place, (other) => mayMeet(one.route, other), one.route);
    const gives = covers(one.route, old.route)
      ? { routes: [], known: true, covered: true }
      : this.#successors(old, (other) => other.name !== one.route.name);
    for (const other of takes.routes) handedOver(this.#was(other.name)?.route ?? other, one.route, notes);
    for (const other of gives.routes) handedOver(old.route, other, notes);
    const known = takes.known && gives.known;
    const unrouted = gives.known && !gives.covered;
    return this.#order(old, one, { takes: takes.routes, gives: gives.routes, unrouted, known });
  }

  /** The routes that it moved past and that may match the same requests, where the order makes a difference. */
  #moved(old: Placed, one: Placed, notes: AccessNotes): OrderChange {
    const takes: RoutePlan[] = [];
    const gives: RoutePlan[] = [];
    let known = true;
    for (const [place, other] of this.#list.entries()) {
      const was = this.#was(other.name);
      if (was === undefined || other === one.route) continue;
      const [wasAhead, isAhead] = [was.place < old.place, place < one.place];
      if (wasAhead === isAhead) continue;
      if (--this.#pairs < 0) {
        known = false;
        break;
      }
      if (!mayMeet(one.route, other) || alike(served(one.route), served(other))) continue;
      (wasAhead ? takes : gives).push(other);
    }
    for (const other of takes.slice(0, MOST_NAMED)) handedOver(other, one.route, notes);
    for (const other of gives.slice(0, MOST_NAMED)) handedOver(one.route, other, notes);
    return this.#order(old, one, { takes, gives, unrouted: false, known });
  }

  /** The existing routes after `place` that lose requests to it, up to the first that covers `route`. */
  #following(
    place: number,
    wanted: (other: RoutePlan) => boolean,
    route: RoutePlan,
  ): { readonly routes: RoutePlan[]; readonly known: boolean } {
    const routes: RoutePlan[] = [];
    for (let i = place + 1; i < this.#list.length; i++) {
      if (--this.#pairs < 0) return { routes, known: false };
      const other = this.#list[i]!;
      if (this.#was(other.name) === undefined || !wanted(other)) continue;
      routes.push(other);
      if (covers(other, route)) break;
    }
    return { routes, known: true };
  }

  /** The routes that now get the requests of a former one; `covered`: together they get all of them. */
  #successors(
    old: Placed,
    wanted: (other: RoutePlan) => boolean,
  ): { readonly routes: RoutePlan[]; readonly known: boolean; readonly covered: boolean } {
    const routes: RoutePlan[] = [];
    for (const other of this.#list) {
      if (--this.#pairs < 0) return { routes, known: false, covered: false };
      const was = this.#was(other.name);
      if (was !== undefined && was.place < old.place && alike(was.route.match, other.match)) continue;
      if (!wanted(other) || !mayMeet(old.route, other)) continue;
      routes.push(other);
      if (covers(other, old.route)) return { routes, known: true, covered: true };
    }
    return { routes, known: true, covered: false };
  }

  #order(
    old: Placed | null,
    now: Placed | null,
    found: {
      readonly takes: readonly RoutePlan[];
      readonly gives: readonly RoutePlan[];
      readonly unrouted: boolean;
      readonly known: boolean;
    },
  ): OrderChange {
    const names = (routes: readonly RoutePlan[]): string[] => routes.slice(0, MOST_NAMED).map(({ name }) => name);
    const { takes, gives, unrouted, known } = found;
    const some = takes.length + gives.length > 0 || unrouted;
    return {
      before: old === null ? null : old.place + 1,
      after: now === null ? null : now.place + 1,
      ahead_of: now === null ? null : (this.#list[now.place + 1]?.name ?? null),
      effect: some ? 'some' : known ? 'none' : 'unknown',
      takes_from: names(takes),
      gives_to: names(gives),
      unrouted,
    };
  }
}

/** A route's main settings. */
function essence(route: RoutePlan): object {
  const {
    match,
    policies,
    listeners,
    mirror,
    drain: _,
    timeouts,
    limits,
    retries,
    ...rest
  } = written(route) as Record<string, unknown> & {
    readonly match: object;
    readonly timeouts: object;
    readonly limits: object;
    readonly retries: object;
    readonly policies: readonly { readonly type: string }[];
  };
  const matched = Object.entries(match).filter(([, one]) => one !== null && !(Array.isArray(one) && one.length === 0));
  return {
    ...(listeners === null ? {} : { listeners }),
    match: Object.fromEntries(matched),
    ...(policies.length === 0 ? {} : { policies: policies.map(({ type }) => type) }),
    ...rest,
    ...(mirror === null ? {} : { mirror }),
    ...(Object.keys(timeouts).length === 0 ? {} : { timeouts }),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    ...(Object.keys(retries).length === 0 ? {} : { retries }),
  };
}

function changeOf(
  route: RoutePlan,
  action: Change['action'],
  settings: readonly SettingChange[],
  notes: AccessNotes,
  order: OrderChange | null,
): Change {
  const { name } = route;
  return { kind: 'route', name, action, settings, access: notes.change, order, used_by: [], users: 0 };
}
