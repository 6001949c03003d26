/**
 * Compares the listeners of two plans, including the admin listener: opened, closed, renamed and moved ones, and the
 * effects on their sockets and connections. Cold, pure; uses the same rule as runtime/ (plan/succession.ts).
 */
import { collide } from '../listeners.ts';
import { Succession } from '../succession.ts';
import type { AddressPlan } from '../types/address.ts';
import type { ListenerPlan, Plan } from '../types.ts';
import { adminAccess, listenerAccess, openedAccess } from './access.ts';
import { type Change, change, type SettingChange } from './changes.ts';
import { policyOrder, reorderedBetween, settingsBetween, sideBySide, type Terms } from './reading.ts';

export class ListenerDiff {
  readonly #before: Plan;
  readonly #after: Plan;
  readonly #terms: Terms;
  readonly #succession: Succession;
  /** The old plan of each renamed listener, by its new name. */
  readonly #renamed = new Map<string, ListenerPlan>();
  /** Claims, by `kind name`, that continue under another name, with their previous one. */
  readonly carried: ReadonlyMap<string, string>;

  constructor(before: Plan, after: Plan, terms: Terms) {
    this.#before = before;
    this.#after = after;
    this.#terms = terms;
    this.#succession = new Succession(after.listeners);
    const now = new Set(after.listeners.map(({ name }) => name));
    const old = new Set(before.listeners.map(({ name }) => name));
    for (const one of before.listeners) {
      const successor = this.#succession.of(one);
      if (successor !== null && !now.has(one.name) && !old.has(successor.name)) this.#renamed.set(successor.name, one);
    }
    this.carried = new Map(
      [...this.#renamed].map(([name, one]) => [`listener-connections ${name}`, `listener-connections ${one.name}`]),
    );
  }

  *changes(): Generator<Change> {
    const gone = new Set([...this.#renamed.values()].map(({ name }) => name));
    for (const [name, before, now] of sideBySide(this.#before.listeners, this.#after.listeners, (one) => one.name)) {
      if (gone.has(name)) continue;
      const old = before ?? this.#renamed.get(name) ?? null;
      if (now === null) yield this.#closed(old!);
      else if (old === null) yield this.#opened(now);
      else {
        const settings = settingsBetween('listener', ofListener(old), ofListener(now), this.#terms);
        settings.push(...policyOrder(old.policies, now.policies), ...tlsRouteOrder(old, now));
        const renamed = old.name !== now.name;
        if (renamed) settings.unshift({ setting: 'name', before: old.name, after: now.name });
        if (settings.length === 0) continue;
        const rebound = old.socket.identity !== now.socket.identity;
        const action = rebound ? 'rebound' : renamed ? 'renamed' : 'changed';
        const access = listenerAccess(old, now, settings);
        yield change({ kind: 'listener', name, action, settings, access, ...this.#effects(old, now) });
      }
    }
  }

  #closed(old: ListenerPlan): Change {
    const settings = settingsBetween('listener', inShort(old), null, this.#terms);
    return change({ kind: 'listener', name: old.name, action: 'closed', settings, ...this.#effects(old, null) });
  }

  #opened(now: ListenerPlan): Change {
    const settings = settingsBetween('listener', null, inShort(now), this.#terms);
    const access = openedAccess(now);
    return change({
      kind: 'listener',
      name: now.name,
      action: 'opened',
      settings,
      access,
      ...this.#effects(null, now),
    });
  }

  #effects(old: ListenerPlan | null, now: ListenerPlan | null): Pick<Change, 'effects'> {
    const effects: string[] = [];
    const successor = old === null ? null : this.#succession.of(old);
    if (old !== null && successor !== null && (successor !== now || old.name !== now.name)) {
      const how =
        successor.protocol === old.protocol ? 'its connections go over to' : 'its idle connections end: there is now';
      effects.push(`${old.address.text} stays open; ${how} listener ${successor.name}`);
    } else if (old !== null && successor !== null && successor.protocol !== old.protocol)
      effects.push('its idle connections end: they speak another protocol');
    if (old !== null && this.#after.admin?.claim.identity === old.socket.identity)
      effects.push(`${old.address.text} stays open for the admin listener`);
    if (now !== null) effects.push(...evictions(now.address, now.socket.identity, this.#before, this.#after));
    return effects.length === 0 ? {} : { effects };
  }
}

/** The sockets that must close before a new address can open: the system does not allow both at once. */
function evictions(address: AddressPlan, identity: string, before: Plan, after: Plan): string[] {
  const [old, now] = [socketsOf(before), socketsOf(after)];
  if (old.has(identity)) return [];
  return [...old]
    .filter(([other, taken]) => !now.has(other) && collide(taken, address))
    .map(
      ([, taken]) =>
        `${taken.text} closes right before ${address.text} opens: a client that connects just then may be refused`,
    );
}

function socketsOf({ listeners, admin }: Plan): Map<string, AddressPlan> {
  const sockets = new Map(listeners.map(({ socket, address }) => [socket.identity, address]));
  if (admin !== null) sockets.set(admin.claim.identity, admin.address);
  return sockets;
}

function ofListener({ name: _, routes: __, ...rest }: ListenerPlan): object {
  return rest;
}

function tlsRouteOrder(old: ListenerPlan, now: ListenerPlan): SettingChange[] {
  const names = ({ tlsRoutes }: ListenerPlan): string[] => tlsRoutes.map(({ name }) => name);
  return reorderedBetween('tls_routes', names(old), names(now));
}

function inShort({ address, protocol, pool, plainPool, tlsRoutes, acl, policies }: ListenerPlan): object {
  return {
    address,
    protocol,
    ...(pool === null ? {} : { pool }),
    ...(plainPool === null ? {} : { plainPool }),
    ...(tlsRoutes.length === 0 ? {} : { tlsRoutes: tlsRoutes.map(({ name }) => name) }),
    ...(acl === null ? {} : { acl }),
    ...(policies.length === 0 ? {} : { policies: policies.map(({ type }) => type) }),
  };
}

export function adminChange(before: Plan, after: Plan, terms: Terms): Change | null {
  const [old, now] = [before.admin, after.admin];
  const settings = settingsBetween('admin', old, now, terms);
  if (settings.length === 0) return null;
  const moved = old?.claim.identity !== now?.claim.identity;
  const action = old === null ? 'opened' : now === null ? 'closed' : moved ? 'rebound' : 'changed';
  const effects = now === null ? [] : evictions(now.address, now.claim.identity, before, after);
  const access = now === null ? null : adminAccess(old, now);
  return change({ kind: 'admin', name: '', action, settings, access, ...(effects.length === 0 ? {} : { effects }) });
}
