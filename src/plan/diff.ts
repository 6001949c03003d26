/**
 * Compares two Plans: parts added, removed, changed and moved, by name and not by line; clients that gain or lose
 * access; and the fate of lasting state. Cold, pure; used by cli/ and, in summary, by the reloader.
 *
 * It knows by name the parts it has something specific to report about. All other parts of a plan are compared setting
 * by setting: a new part of the Plan needs no line here.
 */
import { freeze } from '../kit/freeze.ts';
import { FEW } from '../kit/time-slicing.ts';
import { claimBefore } from './claims.ts';
import type { AclPlan, Plan } from './types.ts';
import type { PoolPlan } from './types/pool.ts';
import { aclAccess, limitsAccess } from './diff/access.ts';
import { type Change, change, type Fate, type PlanDiff } from './diff/changes.ts';
import { inOrderOfImportance, summaryOf } from './diff/importance.ts';
import { alike, PLAIN, settingsBetween, sideBySide, type Terms } from './diff/reading.ts';
import { certificateChanges } from './diff/certificates.ts';
import { adminChange, ListenerDiff } from './diff/listeners.ts';
import { RouteDiff } from './diff/routes.ts';
import { fatesOf } from './diff/state.ts';

/** The plan before; null: a gateway that serves nothing. */
export type Before = Plan | null;

export function diffPlans(before: Before, after: Plan, terms: Terms = PLAIN): PlanDiff {
  const work = diffing(before, after, terms);
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
  }
}

/** The same in small steps, for callers that also serve traffic. */
export function* diffing(before: Before, after: Plan, terms: Terms = PLAIN): Generator<null, PlanDiff> {
  const old = before ?? emptyPlan(after);
  const changes: Change[] = [];
  const [off, nowOff] = [switchedOff(old), switchedOff(after)];
  const take = (change: Change | null): void => {
    if (change !== null) changes.push(switched(change, off, nowOff));
  };
  for (const one of others(old, after, terms)) take(one);
  for (const one of certificateChanges(old, after, terms)) {
    take(one);
    yield null;
  }
  const diff = new ListenerDiff(old, after, terms);
  for (const one of diff.changes()) take(one);
  for (const one of pools(old, after, terms)) {
    take(one);
    yield null;
  }
  for (const one of acls(old, after, terms)) {
    take(one);
    yield null;
  }
  yield null;
  for (const one of new RouteDiff(old.routes, after.routes, terms).changes()) {
    take(one);
    yield null;
  }
  const settings = new Map(changes.map((one) => [`${one.kind} ${one.name}`, one.settings]));
  const fates = yield* fatesOf(old, after, settings, new Map([...diff.carried, ...carriedByPools(after)]));
  const counts: Record<Fate, number> = { kept: 0, tuned: 0, reset: 0, new: 0, gone: 0 };
  for (const { fate } of fates) counts[fate]++;
  const ordered = inOrderOfImportance(changes);
  const state = { counts, changes: fates.filter(({ fate }) => fate !== 'kept') };
  return freeze<PlanDiff>({ changes: ordered, state, summary: summaryOf(ordered, counts.reset) });
}

/** A plan without named parts and with the single settings of `plan`, so that these don't show as changes. */
function emptyPlan(plan: Plan): Plan {
  const disabled = { listeners: [], routes: [], policies: [], endpoints: [] };
  return {
    ...plan,
    admin: null,
    issuers: [],
    certificates: [],
    brokenCertificates: [],
    caches: [],
    modules: [],
    listeners: [],
    pools: [],
    routes: [],
    disabled,
  };
}

/** The disabled parts, as `kind name`. */
function switchedOff({ disabled: { listeners, routes, policies, endpoints } }: Plan): ReadonlySet<string> {
  return new Set([
    ...listeners.map((name) => `listener ${name}`),
    ...routes.map(({ name }) => `route ${name}`),
    ...endpoints.map(({ pool, address }) => `endpoint ${pool}/${address}`),
    ...policies.map(({ kind, name, type }) => `${kind} ${name} policies.${type}`),
  ]);
}

/** Reports a part that comes or goes only by `enabled` as enabled or disabled. */
function switched(one: Change, before: ReadonlySet<string>, after: ReadonlySet<string>): Change {
  const key = `${one.kind} ${one.name}`;
  if ((one.action === 'removed' || one.action === 'closed') && after.has(key)) return { ...one, action: 'disabled' };
  if ((one.action === 'added' || one.action === 'opened') && before.has(key)) return { ...one, action: 'enabled' };
  if (one.kind !== 'route' && one.kind !== 'listener') return one;
  const settings = one.settings.map((setting) => {
    const policy = `${key} ${setting.setting}`;
    const enabled = `${setting.setting}.enabled`;
    if (setting.after === null && after.has(policy)) return { setting: enabled, before: true, after: false };
    return setting.before === null && before.has(policy) ? { setting: enabled, before: false, after: true } : setting;
  });
  return { ...one, settings };
}

interface Named {
  readonly name: string;
}

// === single settings, and parts not known by name

function* others(before: Plan, after: Plan, terms: Terms): Generator<Change | null> {
  // The policies of routes tell of changed modules.
  const known = new Set([
    'certificates',
    'brokenCertificates',
    'listeners',
    'modules',
    'pools',
    'routes',
    'admin',
    'disabled',
  ]);
  if (before.admin !== null || after.admin !== null) yield adminChange(before, after, terms);
  // Plain data: any key may be read.
  const [old, now] = [before, after] as unknown as [Record<string, unknown>, Record<string, unknown>];
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    if (known.has(key)) continue;
    const [one, other] = [old[key], now[key]];
    if (isNamedList(one) || isNamedList(other)) {
      const kind = key.replace(/s$/, '');
      const lists = [isNamedList(one) ? one : [], isNamedList(other) ? other : []] as const;
      for (const [name, a, b] of sideBySide(...lists, (named) => named.name)) yield thing(kind, name, a, b, terms);
    } else yield thing(key, '', one, other, terms);
  }
}

function isNamedList(value: unknown): value is readonly Named[] {
  const named = (one: unknown): boolean => typeof one === 'object' && one !== null && 'name' in one;
  return Array.isArray(value) && value.length > 0 && value.every(named);
}

function thing(kind: string, name: string, before: unknown, after: unknown, terms: Terms): Change | null {
  if (alike(before, after)) return null;
  const settings = settingsBetween(kind, unnamed(before), unnamed(after), terms);
  if (settings.length === 0) return null;
  const named = name !== '';
  const action = named && before === null ? 'added' : named && after === null ? 'removed' : 'changed';
  return change({ kind, name, action, settings, access: kind === 'limits' ? limitsAccess(settings) : null });
}

/** The name identifies the item; it is not a setting. */
function unnamed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { name: _, ...rest } = value as Record<string, unknown>;
  return rest;
}

// === pools and their endpoints

function* pools(before: Plan, after: Plan, terms: Terms): Generator<Change | null> {
  const taken = new Set(after.pools.map(({ renamedFrom }) => renamedFrom));
  for (const [name, old, now] of sideBySide(before.pools, after.pools, (one) => one.name)) {
    yield null;
    if (old === now) continue;
    // A renamed pool is reported under its new name.
    if (now === null && taken.has(name)) continue;
    const was = old ?? before.pools.find((one) => one.name === now?.renamedFrom) ?? null;
    if (was !== null && now !== null) yield* pool(was, now, terms);
    else {
      const settings = settingsBetween('pool', poolInShort(old), poolInShort(now), terms);
      yield change({ kind: 'pool', name, action: now === null ? 'removed' : 'added', settings });
    }
  }
}

function poolInShort(pool: PoolPlan | null): object | null {
  if (pool === null) return null;
  const { strategy, endpoints, dns } = pool;
  const names = dns === null ? {} : { dns: dns.names.map(({ name }) => name) };
  return { strategy: strategy.type, endpoints: endpoints.map(({ address }) => address), ...names };
}

function* pool(old: PoolPlan, now: PoolPlan, terms: Terms): Generator<Change | null> {
  if (alike(old, now)) return;
  const settings = settingsBetween('pool', ofPool(old), ofPool(now), terms);
  if (resigned(old, now, terms)) settings.push({ setting: 'sticky.secret', before: '…', after: '…' });
  const renamed = old.name !== now.name;
  if (renamed) settings.unshift({ setting: 'name', before: old.name, after: now.name });
  if (settings.length > 0)
    yield change({ kind: 'pool', name: now.name, action: renamed ? 'renamed' : 'changed', settings });
  for (const [address, a, b] of sideBySide(old.endpoints, now.endpoints, (one) => one.address.text)) {
    const name = `${now.name}/${address}`;
    if (a === null || b === null) yield change({ kind: 'endpoint', name, action: a === null ? 'added' : 'removed' });
    else {
      const own = settingsBetween('endpoint', { ...a, address: null }, { ...b, address: null }, terms);
      if (own.length > 0) yield change({ kind: 'endpoint', name, action: 'changed', settings: own });
    }
  }
}

function ofPool({ name: _, endpoints: __, renamedFrom: ___, sticky, ...rest }: PoolPlan): object {
  return { ...rest, sticky: sticky === null ? null : { ...sticky, ids: null, addressKey: null } };
}

/** The claims of renamed pools, paired with their previous claims, both as `kind name`. */
function* carriedByPools({ pools: all }: Plan): Generator<readonly [string, string]> {
  for (const { name, renamedFrom, claim, endpoints, dns } of all) {
    if (renamedFrom === null) continue;
    const claims = [
      claim,
      ...endpoints.flatMap((one) => [one.claim, one.check]),
      ...(dns?.names ?? []).map((one) => one.claim),
    ];
    for (const one of claims) {
      if (one !== null) yield [`${one.kind} ${one.name}`, `${one.kind} ${claimBefore(one, name, renamedFrom)!.name}`];
    }
  }
}

/** Whether the cookies of the remaining endpoints differ. Then the key that signs them has changed. */
function resigned(old: PoolPlan, now: PoolPlan, terms: Terms): boolean {
  const [before, after] = [old.sticky, now.sticky];
  if (before === null || after === null) return false;
  const keyed = before.addressKey !== '' && after.addressKey !== '';
  if (keyed && settingsBetween('pool', [before.addressKey], [after.addressKey], terms).length > 0) return true;
  const ids = new Map(old.endpoints.map(({ address }, i) => [address.text, before.ids[i]]));
  return now.endpoints.some(({ address }, i) => ids.has(address.text) && ids.get(address.text) !== after.ids[i]);
}

// === ACLs that are in use

interface UsedAcl {
  readonly acl: AclPlan;
  readonly users: string[];
}

/** An ACL that is newly used, or no longer used, is reported where it is used. */
function* acls(before: Plan, after: Plan, terms: Terms): Generator<Change | null> {
  const now = yield* usedAcls(after);
  for (const [name, { acl: old }] of yield* usedAcls(before)) {
    const used = now.get(name);
    if (used === undefined || alike(old, used.acl)) continue;
    const settings = settingsBetween('acl', unnamed(old), unnamed(used.acl), terms);
    const { users } = used;
    const access = aclAccess(old, used.acl);
    yield change({
      kind: 'acl',
      name,
      action: 'changed',
      settings,
      access,
      used_by: users.slice(0, 10),
      users: users.length,
    });
  }
}

function* usedAcls(plan: Plan): Generator<null, Map<string, UsedAcl>> {
  const found = new Map<string, UsedAcl>();
  const note = (acl: AclPlan, user: string): void => {
    const one = found.get(acl.name);
    if (one === undefined) found.set(acl.name, { acl, users: [user] });
    else if (one.users.at(-1) !== user) one.users.push(user);
  };
  for (const { name, acl, policies } of plan.listeners) {
    if (acl !== null) note(acl, `listener ${name}`);
    for (const policy of policies) if (policy.type === 'acl') note(policy.acl, `listener ${name}`);
  }
  for (const [i, { name, policies }] of plan.routes.entries()) {
    if (i % FEW === 0) yield null;
    for (const policy of policies) if (policy.type === 'acl') note(policy.acl, `route ${name}`);
  }
  return found;
}
