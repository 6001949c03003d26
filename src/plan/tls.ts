/** Plans certificates and the TLS settings of listeners. Cold. */
import type { ListenerTls, TlsTickets } from '../config/schema.gen.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { AuthorityBundle } from '../kit/client-authorities.ts';
import { type Issuers, planIssued, planOfHosts, planOnDemand } from './acme.ts';
import { planHandshake, planTlsNames } from './handshake.ts';
import type { PlanScope } from './scope.ts';
import type { RoutePlan } from './types.ts';
import type { CertificatePlan, ListenerTlsPlan, TicketsPlan } from './types/tls.ts';

/** The certificates of a config. */
export interface CertificatePlans {
  /** Those for the hosts of routes are added when their listeners are planned. */
  readonly byName: Map<string, CertificatePlan>;
  /** The certificates that each name in a listener's list stands for: a folder has any number. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** The names of pairs of folders that cannot be used. */
  readonly broken: readonly string[];
}

export function planCertificates(
  {
    config,
    certificates,
    certificateFolders: folders,
  }: Pick<LoadedConfig, 'config' | 'certificates' | 'certificateFolders'>,
  issuers: Issuers,
  scope: PlanScope,
): CertificatePlans {
  const byName = new Map<string, CertificatePlan>(
    [...certificates].map(([name, { pair, file, entry }]) => [name, { type: 'file', name, entry, file, ...pair }]),
  );
  planIssued(config.certificates, byName, issuers, scope);
  const broken = [...folders.values()].flat().filter((name) => !byName.has(name));
  const single = [...byName.keys(), ...broken].map((name) => [name, [name]] as const);
  return { byName, named: new Map<string, readonly string[]>([...single, ...folders]), broken };
}

/** The names of the certificates that a listener's list stands for. */
function namedCertificates(
  list: readonly string[],
  pointer: string,
  { byName, named }: CertificatePlans,
  scope: PlanScope,
): string[] {
  const found = list.map((name, i) => scope.find(named, 'certificate', name, `${pointer}/${i}`));
  const names = [...new Set(found.flatMap((some) => some ?? []))];
  if (list.length > 0 && !found.includes(null) && !names.some((name) => byName.has(name)))
    scope.problem(pointer, 'there is no certificate that can be used');
  return names;
}

/** What `planListenerTls` needs to know of the listener. */
export interface TlsListener {
  readonly name: string;
  /** The keys of its session tickets in base64 with spaces between them. */
  readonly ticketKeys: string;
  /** Those whose hosts get certificates. */
  readonly routes: readonly RoutePlan[];
}

export function planListenerTls(
  config: ListenerTls,
  pointer: string,
  listener: TlsListener,
  certificates: CertificatePlans,
  issuers: Issuers,
  authorities: ReadonlyMap<string, AuthorityBundle>,
  scope: PlanScope,
): ListenerTlsPlan {
  const named = namedCertificates(config.certificates ?? [], `${pointer}/certificates`, certificates, scope);
  const { obtained, onDemand } = planObtained(config, pointer, listener, certificates.byName, issuers, scope);
  const { names, unknown_name: unknownName } = config;
  const all = [...named, ...obtained];
  const own = planHandshake(config, null, pointer, authorities, scope);
  const served = onDemand === null ? all.flatMap((name) => certificates.byName.get(name)?.names ?? []) : null;
  return {
    certificates: all,
    onDemand,
    unknownName,
    ...own,
    names: planTlsNames(names, own, served, `${pointer}/names`, authorities, scope),
    tickets: planTickets(config.tickets, `${pointer}/tickets`, listener.ticketKeys, scope),
  };
}

interface Obtained {
  /** The names of certificates. */
  readonly obtained: readonly string[];
  readonly onDemand: ListenerTlsPlan['onDemand'];
}

function planObtained(
  { certificates: named, acme, issuer, on_demand: demand }: ListenerTls,
  pointer: string,
  { name, routes }: TlsListener,
  certificates: Map<string, CertificatePlan>,
  issuers: Issuers,
  scope: PlanScope,
): Obtained {
  const none: Obtained = { obtained: [], onDemand: null };
  if (acme !== undefined && issuer !== undefined) {
    scope.problem(pointer, 'needs one of acme and issuer, not both');
    return none;
  }
  if (acme === undefined && issuer === undefined) {
    if (demand !== undefined) scope.problem(`${pointer}/on_demand`, 'needs an issuer', 'set acme: default beside it');
    else if (named === undefined) scope.problem(pointer, 'needs certificates, acme or issuer', 'such as acme: default');
    return none;
  }
  const origin = issuers.originOf({ ...(acme && { acme }), ...(issuer && { issuer }) }, pointer);
  if (origin === null) return none;
  const obtained = planOfHosts(name, origin, routes, certificates);
  if (obtained.length === 0 && demand === undefined)
    scope.problem(
      `${pointer}/${acme === undefined ? 'issuer' : 'acme'}`,
      'does not know for which names: no route of this listener has a host',
      'give routes a host, or name them: certificates: { site: { acme: default, names: [example.com] } }',
    );
  const names = obtained.map((one) => certificates.get(one)).flatMap((one) => one?.names ?? []);
  issuers.check(names, origin, `${pointer}/${acme === undefined ? 'issuer' : 'acme'}`);
  return { obtained, onDemand: demand === undefined ? null : planOnDemand(demand, origin) };
}

function planTickets({ enabled }: TlsTickets, pointer: string, ticketKeys: string, scope: PlanScope): TicketsPlan {
  if (!enabled && scope.isWritten(`${pointer}/key_files`))
    scope.warning(`${pointer}/key_files`, 'has no effect: tickets are disabled');
  return { enabled, ticketKeys: enabled ? ticketKeys : '' };
}
