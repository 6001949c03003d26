/** Plans what issues certificates, and the certificates that it issues. Cold. */
import { isIP } from 'node:net';
import { parseAddress } from '../config/formats.ts';
import type { LoadedConfig } from '../config/load.ts';
import type {
  AcmeConfig,
  AcmeDnsConfig,
  CertificateConfig,
  GatewayConfig,
  ListenerTls,
  OnDemandConfig,
} from '../config/schema.gen.ts';
import { segment } from '../config/walk.ts';
import { hostForm, ipv6Form } from '../kit/host-name.ts';
import type { PlanScope } from './scope.ts';
import type { RoutePlan } from './types.ts';
import type { AcmeIssuerPlan, DnsHookPlan, IssuerPlan, OnDemandPlan, OriginPlan } from './types/acme.ts';
import type { CertificatePlan, IssuedCertificatePlan } from './types/tls.ts';

const INTERNAL = 'internal';
/** What `acme: default` means without an entry. */
const DEFAULT = 'default';
const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';

/** The issuers of the config. Those that nothing names, and that are not written, are not a part of the plan. */
export class Issuers {
  readonly #known = new Map<string, AcmeIssuerPlan>();
  readonly #used = new Set<string>();
  readonly #scope: PlanScope;

  constructor({ acme }: Pick<GatewayConfig, 'acme'>, { trust }: Pick<LoadedConfig, 'trust'>, scope: PlanScope) {
    this.#scope = scope;
    if (!Object.hasOwn(acme, DEFAULT))
      this.#known.set(DEFAULT, planIssuer(DEFAULT, { directory: LETS_ENCRYPT, key_type: 'p256' }, null, scope));
    for (const [name, config] of Object.entries(acme)) {
      if (name === INTERNAL) scope.problem('/acme/internal', "is the name of the gateway's own authority");
      this.#known.set(name, planIssuer(name, config, trust.get(name) ?? null, scope));
      this.#used.add(name);
    }
  }

  /** `acme` or `issuer` of a setting; null: neither, or a name is unknown. */
  originOf({ acme, issuer }: Pick<ListenerTls, 'acme' | 'issuer'>, pointer: string): OriginPlan | null {
    if (issuer !== undefined) {
      this.#used.add(INTERNAL);
      return { issuers: [INTERNAL], keyType: 'p256' };
    }
    const found = acme?.map((name, i) => this.#scope.find(this.#known, 'acme', name, `${pointer}/acme/${i}`)) ?? [];
    for (const one of found) if (one !== null) this.#used.add(one.name);
    const [first] = found;
    if (first === undefined || first === null || found.includes(null)) return null;
    return { issuers: found.map((one) => one!.name), keyType: first.keyType };
  }

  /** Reports names that none of the issuers can issue for. */
  check(names: readonly string[], { issuers }: OriginPlan, pointer: string): void {
    for (const name of names) {
      const unable = issuers
        .map((issuer) => this.#known.get(issuer))
        .filter((one) => one !== undefined && !can(one, name));
      if (unable.length === 0) continue;
      const wild = name.startsWith('*.');
      this.#scope.problem(
        pointer,
        `${unable[0]!.name} cannot issue for ${name}: ${wild ? 'a wildcard needs' : 'an address needs another challenge than'} dns-01`,
        wild ? 'set dns in that entry of acme, and dns-01 in its challenges' : undefined,
      );
    }
  }

  get plans(): IssuerPlan[] {
    const own: IssuerPlan[] = this.#used.has(INTERNAL) ? [{ type: 'internal', name: INTERNAL }] : [];
    return [...[...this.#known.values()].filter(({ name }) => this.#used.has(name)), ...own];
  }
}

/** RFC 8555 §7.1.3: a wildcard by DNS only. RFC 8738 §7: an address not by DNS. */
function can({ challenges }: AcmeIssuerPlan, name: string): boolean {
  if (name.startsWith('*.')) return challenges.includes('dns-01');
  return isIP(name) === 0 || challenges.some((challenge) => challenge !== 'dns-01');
}

function planIssuer(name: string, config: AcmeConfig, ca: string | null, scope: PlanScope): AcmeIssuerPlan {
  const pointer = `/acme/${segment(name)}`;
  const { directory, email, eab, profile, preferred_chain: preferredChain, key_type: keyType, dns } = config;
  const asked =
    config.challenges ?? (dns === undefined ? (['http-01', 'tls-alpn-01'] as const) : (['dns-01'] as const));
  if (asked.includes('dns-01') && dns === undefined)
    scope.problem(`${pointer}/challenges`, 'dns-01 needs to know how records are made', 'set dns');
  if (!asked.includes('dns-01') && dns !== undefined)
    scope.warning(`${pointer}/dns`, 'has no effect: dns-01 is not in challenges');
  return {
    type: 'acme',
    name,
    directory,
    ca,
    email: email ?? null,
    eab: eab === undefined ? null : { kid: eab.kid, hmacKey: eab.hmac_key },
    profile: profile ?? null,
    preferredChain: preferredChain ?? null,
    keyType,
    challenges: asked,
    dns: dns === undefined ? null : planDnsHook(dns),
  };
}

function planDnsHook({ exec, webhook, update, wait, timeout }: AcmeDnsConfig): DnsHookPlan {
  if (exec !== undefined) return { hook: { type: 'exec', command: exec }, wait, timeout };
  if (webhook !== undefined) {
    const { url, authorization = null } = webhook;
    return { hook: { type: 'webhook', url, authorization }, wait, timeout };
  }
  const { server = '', zone, key } = update ?? {};
  const { host, port } = parseAddress(server) ?? { host: '', port: 0 };
  const named = zone === undefined ? null : hostForm(zone);
  return { hook: { type: 'update', host, port, zone: named, key: key ?? null }, wait, timeout };
}

/** Adds the certificates of the config that are issued to those of files. */
export function planIssued(
  configs: Readonly<Record<string, CertificateConfig>>,
  certificates: Map<string, CertificatePlan>,
  issuers: Issuers,
  scope: PlanScope,
): void {
  for (const [name, config] of Object.entries(configs)) {
    const pointer = `/certificates/${segment(name)}`;
    const issued = config.acme !== undefined || config.issuer !== undefined;
    if (!issued && config.names !== undefined)
      scope.problem(`${pointer}/names`, 'only an issued certificate has names here; a file has its own');
    if (!issued) continue;
    if (config.key !== undefined) scope.problem(`${pointer}/key`, 'an issued certificate has a key of its own');
    if (config.names === undefined) scope.problem(pointer, 'needs the setting names');
    const names = (config.names ?? []).map(certificateName);
    // Its problem is told once, not at each listener that names it.
    const origin = issuers.originOf(config, pointer) ?? { issuers: [], keyType: 'p256' };
    issuers.check(names, origin, `${pointer}/names`);
    certificates.set(name, { type: 'issued', name, names, ...origin });
  }
}

/** The schema has checked that it is a name or an address. */
function certificateName(text: string): string {
  if (isIP(text) === 6) return ipv6Form(text)!.slice(1, -1);
  return text.startsWith('*.') ? `*.${hostForm(text.slice(2))}` : hostForm(text)!;
}

/**
 * Adds a certificate for each host of a listener's routes, as `tls.acme` and `tls.issuer` want it. Returns their names.
 * A host that a wildcard among them covers needs none of its own.
 */
export function planOfHosts(
  listener: string,
  origin: OriginPlan,
  routes: readonly RoutePlan[],
  certificates: Map<string, CertificatePlan>,
): string[] {
  const hosts = new Set(routes.flatMap(({ match }) => match.hosts ?? []).map((host) => host.replace(/^\[|\]$/g, '')));
  const covered = (host: string): boolean => !host.startsWith('*.') && hosts.has(`*${host.slice(host.indexOf('.'))}`);
  return [...hosts]
    .filter((host) => !covered(host))
    .map((host) => {
      const issued: IssuedCertificatePlan = { type: 'issued', name: host, names: [host], ...origin };
      const known = certificates.get(host);
      // Listeners with the same issuers share it.
      const name = known === undefined || isSame(known, issued) ? host : `${host}@${listener}`;
      certificates.set(name, { ...issued, name });
      return name;
    });
}

function isSame(known: CertificatePlan, issued: IssuedCertificatePlan): boolean {
  return (
    known.type === 'issued' &&
    known.keyType === issued.keyType &&
    known.names.join() === issued.names.join() &&
    known.issuers.join() === issued.issuers.join()
  );
}

export function planOnDemand(config: OnDemandConfig, origin: OriginPlan): OnDemandPlan {
  const { ask, names, rate, per, wait } = config;
  return { ask, names, rate, per, wait, ...origin };
}
