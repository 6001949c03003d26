/** Warns of certificates that nothing uses, and of hosts that no certificate of their listener is for. Cold. */
import type { GatewayConfig } from '../config/schema.gen.ts';
import { segment } from '../config/walk.ts';
import type { PlanScope } from './scope.ts';
import type { CertificatePlans } from './tls.ts';
import type { ListenerPlan, RoutePlan } from './types.ts';

export function warnOfCertificates(
  { certificates: written, listeners: configs, pools, routes }: GatewayConfig,
  listeners: readonly ListenerPlan[],
  plans: CertificatePlans,
  scope: PlanScope,
): void {
  // A disabled listener or pool uses its certificates, too: it will be enabled again.
  const used = new Set(Object.values(configs).flatMap(({ tls }) => tls?.certificates ?? []));
  for (const name of Object.values(pools).flatMap(certificateOfPool)) used.add(name);
  for (const name of Object.keys(written)) {
    const some = [name, ...(plans.named.get(name) ?? [])];
    if (!some.some((one) => used.has(one))) scope.warning(`/certificates/${segment(name)}`, 'nothing uses it');
  }
  const places = new Map(routes.map(({ name }, i) => [name, i]));
  for (const listener of listeners) {
    const names = namesOf(listener, plans);
    if (names === null) continue;
    for (const route of listener.routes) {
      const host = (route.match.hosts ?? []).find((one) => !covers(names, one));
      if (host !== undefined) warn(host, listener, route, places, scope);
    }
  }
}

/** Client certificates for endpoints. */
function certificateOfPool(pool: object): string[] {
  const { tls } = pool as { readonly tls?: { readonly certificate?: string } };
  return tls?.certificate === undefined ? [] : [tls.certificate];
}

function warn(
  host: string,
  { name, tls }: ListenerPlan,
  route: RoutePlan,
  places: ReadonlyMap<string, number>,
  scope: PlanScope,
): void {
  const end = tls?.unknownName === 'refuse' ? 'their handshake is refused' : 'they get the first one of the list';
  const at = `/routes/${places.get(route.name)}/match/host`;
  scope.warning(at, `no certificate of listener ${name} is for ${host}`, `clients ask for it by name: ${end}`);
}

/** The names of a listener's certificates; null: they are not all known, or there is no TLS. */
function namesOf({ tls }: ListenerPlan, { byName }: CertificatePlans): ReadonlySet<string> | null {
  if (tls === null || tls.onDemand !== null) return null;
  const names = new Set<string>();
  for (const name of tls.certificates) {
    const one = byName.get(name);
    // The last version of a pair that cannot be used may be for any names.
    if (one === undefined) return null;
    for (const covered of one.names) names.add(covered);
  }
  return names;
}

/** `host`: of a route. Of the names that a wildcard stands for, one is enough. */
function covers(names: ReadonlySet<string>, host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '');
  if (names.has(plain)) return true;
  if (!plain.startsWith('*.')) return names.has(`*${plain.slice(plain.indexOf('.'))}`);
  const below = plain.slice(1);
  return [...names].some((name) => name.endsWith(below));
}
