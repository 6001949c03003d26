/**
 * The fate of lasting state: kept, tuned or reset, and the settings that cause it. Cold.
 *
 * The identity of a claim decides (plan/claims.ts): an equal identity means the same state. A claim of the same kind
 * and name with another identity means that the state starts anew.
 */
import type { Claim } from '../../kit/claim.ts';
import { FEW } from '../../kit/time-slicing.ts';
import type { Plan } from '../types.ts';
import type { Fate, SettingChange, StateChange } from './changes.ts';
import { isClaim } from './reading.ts';
import { keepsState } from './units.ts';

/** A claim and its origin. */
interface Found {
  readonly claim: Claim;
  /** The `kind name` of the part, and the setting within it. */
  readonly thing: string;
  readonly setting: string;
}

/**
 * Settings that tune state but lie elsewhere than its claim: an endpoint's in its pool, a connection count's in its
 * listener.
 */
const ELSEWHERE: Readonly<Record<string, RegExp>> = {
  endpoint: /^(keepalive|limits|lenient|health\.(passive|backoff|panic|slow_start)|timeouts\.connect)(\.|$)/,
  check: /^health\.active(\.|$)/,
  dns: /^dns(\.|$)/,
  pool: /^(queue|max_connections|max_requests|retries\.budget)(\.|$)/,
  'listener-connections': /^limits\.connections/,
  // A socket is only its address, and no setting tunes it.
  socket: /(?!)/,
};

/**
 * Yields in small steps, and returns the fate of every claim of either plan. `settings`: the changed ones, by the `kind
 * name` of their part; `carried`: claims that continue under another name, with their previous one.
 */
export function* fatesOf(
  before: Plan,
  after: Plan,
  settings: ReadonlyMap<string, readonly SettingChange[]>,
  carried: ReadonlyMap<string, string>,
): Generator<null, StateChange[]> {
  const old = yield* claimsOf(before);
  const now = yield* claimsOf(after);
  const fates: StateChange[] = [];
  const goesOn = new Set(carried.values());
  for (const [key, { claim, thing, setting }] of now) {
    yield null;
    const own = old.get(key);
    const was = own ?? old.get(carried.get(key) ?? '');
    const { kind, name } = claim;
    const changed = was === undefined ? [] : relevant(kind, thing, setting, settings);
    const fate: Fate =
      was === undefined
        ? 'new'
        : was === own && was.claim.identity !== claim.identity
          ? 'reset'
          : changed.length > 0
            ? 'tuned'
            : 'kept';
    const causes = fate === 'reset' ? changed.filter(({ keeps }) => !keeps) : [];
    const because = causes.length > 0 ? causes : changed;
    fates.push({ kind, name, fate, because: because.map((one) => one.setting) });
  }
  for (const [key, { claim }] of old)
    if (!now.has(key) && !goesOn.has(key))
      fates.push({ kind: claim.kind, name: claim.name, fate: 'gone', because: [] });
  return fates;
}

/** A changed setting, and whether the schema says that state survives its change. */
interface Cause {
  readonly setting: string;
  readonly keeps: boolean;
}

function relevant(
  kind: string,
  thing: string,
  setting: string,
  settings: ReadonlyMap<string, readonly SettingChange[]>,
): Cause[] {
  const of = (key: string): Cause[] =>
    (settings.get(key) ?? []).map((one) => ({
      setting: one.setting,
      keeps: keepsState(key.split(' ')[0]!, one.setting),
    }));
  const elsewhere = ELSEWHERE[kind];
  if (elsewhere === undefined) return of(thing).filter((one) => one.setting.startsWith(setting));
  const pool = thing.startsWith('endpoint ') ? `pool ${thing.slice(9, thing.indexOf('/'))}` : thing;
  const own = kind === 'endpoint' ? of(thing) : [];
  return [...own, ...of(pool).filter((one) => elsewhere.test(one.setting))];
}

/** By kind and name. */
function* claimsOf(plan: Plan): Generator<null, Map<string, Found>> {
  const found = new Map<string, Found>();
  const note = (claim: Claim, thing: string, setting: string): void => {
    found.set(`${claim.kind} ${claim.name}`, { claim, thing, setting });
  };
  const { caches, listeners, modules: _, pools, routes, ...rest } = plan;
  for (const { routes: _, pool: __, plainPool: ___, tlsRoutes: ____, ...listener } of listeners)
    walk(listener, `listener ${listener.name}`, '', note);
  for (const { endpoints, ...pool } of pools) {
    yield null;
    walk(pool, `pool ${pool.name}`, '', note);
    for (const endpoint of endpoints) walk(endpoint, `endpoint ${pool.name}/${endpoint.address.text}`, '', note);
  }
  for (const [i, { name, policies }] of routes.entries()) {
    if (i % FEW === 0 || policies.length > 0) yield null;
    for (const policy of policies) walk(policy, `route ${name}`, `policies.${policy.type}`, note);
  }
  // A cache that no route uses has no state.
  for (const cache of caches)
    if (found.has(`${cache.claim.kind} ${cache.claim.name}`)) walk(cache, `cache ${cache.name}`, '', note);
  for (const [key, value] of Object.entries(rest)) walk(value, `${key} `, '', note);
  return found;
}

function walk(
  value: unknown,
  thing: string,
  setting: string,
  note: (claim: Claim, thing: string, setting: string) => void,
): void {
  if (typeof value !== 'object' || value === null) return;
  if (isClaim(value)) note(value, thing, setting);
  else for (const inner of Object.values(value) as unknown[]) walk(inner, thing, setting, note);
}
