/**
 * The TLS of one listener: chooses the certificate for a ClientHello. Hot.
 *
 * Most certificates are fixed; those that the gateway obtains may be renewed between two handshakes.
 *
 * An exact name wins over a wildcard, which stands for one label (RFC 9525 §6.3). Among certificates for the same name,
 * the first of each type of key counts; OpenSSL chooses between the types by what the client supports.
 */
import { createHash } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { canonical } from '../../kit/canonical.ts';
import type { CertificatePair, LiveCertificate } from '../../kit/certificate.ts';
import { alpnWireForm } from './alpn.ts';
import type { ClientHello } from './client-hello.ts';
import type { SecureContexts, TicketSettings } from './secure-contexts.ts';
import { type HandshakeSettings, type NamedSettings, ServerPolicies, type TlsPolicy } from './server-policies.ts';
import type { TlsOptions } from './handshake.ts';

/** The settings of a listener. */
export interface ServerTlsSettings extends HandshakeSettings {
  readonly unknownName: 'default' | 'refuse';
  readonly names: readonly NamedSettings[];
  /** `ticketKeys`: secrets in base64 with spaces between them, the newest first; empty: the gateway makes its own. */
  readonly tickets: { readonly enabled: boolean; readonly ticketKeys: string };
}

/** Certificates of different key types that serve the same name. */
class Group {
  readonly #members: readonly LiveCertificate[];
  #certificates: readonly CertificatePair[] = [];
  #id = '';

  constructor(members: readonly LiveCertificate[]) {
    this.#members = members;
    this.#update();
  }

  /** Those that there are; empty: none yet. */
  get certificates(): readonly CertificatePair[] {
    // A renewed certificate is another object.
    if (this.#members.some(({ pair }, i) => pair !== this.#certificates[i])) this.#update();
    return this.#certificates;
  }

  /** Covers `certificates`. */
  get id(): string {
    return this.#id;
  }

  #update(): void {
    this.#certificates = this.#members.map(({ pair }) => pair).filter((pair) => pair !== null);
    this.#id = idOf(this.#certificates);
  }
}

function idOf(certificates: readonly CertificatePair[]): string {
  return certificates.map(({ digest }) => digest).join(' ');
}

/** A certificate that does not change while its plan is in effect. */
export function fixedCertificate(pair: CertificatePair): LiveCertificate {
  const { names, keyType } = pair;
  return { names, keyType, pair };
}

/** Certificates for names that no config lists. */
export interface OnDemandCertificates {
  /** How long a handshake may wait (ms). */
  readonly wait: number;
  /** null: it is not there yet. */
  find(serverName: string): CertificatePair | null;
  /** Never rejects; null: there is none for that name. */
  obtain(serverName: string): Promise<CertificatePair | null>;
}

/** What an authority looks for in a handshake of its own (RFC 8737). PEM texts. */
export interface ChallengeCertificates {
  tlsAlpn01(serverName: string): { readonly cert: string; readonly key: string } | null;
}

/** A handshake that waits for a certificate. */
export interface PendingChoice {
  /** Milliseconds. */
  readonly wait: number;
  /** Never rejects; null: the handshake is refused. */
  readonly options: Promise<TlsOptions | null>;
}

/** A handshake that shows an authority a certificate; the connection carries nothing (RFC 8737 §3). */
export interface ChallengeChoice {
  readonly challenge: TlsOptions;
}

export interface ServerTlsParts {
  /** Those that the plan names, in its order; the first is the default. */
  readonly certificates: readonly LiveCertificate[];
  /** null: the plan has none. */
  readonly onDemand: OnDemandCertificates | null;
  /** null: no authority will ask. */
  readonly challenges: ChallengeCertificates | null;
  /** For ALPN, most wanted first. */
  readonly protocols: readonly string[];
  readonly contexts: SecureContexts;
}

const ACME_TLS = 'acme-tls/1';

export class ServerTls {
  readonly #exact = new Map<string, Group>();
  /** By the name without its first label and dot. */
  readonly #wildcards = new Map<string, Group>();
  /** null: there are only certificates on demand. */
  readonly #default: Group | null;
  readonly #refuse: boolean;
  readonly policies: ServerPolicies;
  readonly #contexts: SecureContexts;
  readonly #tickets: TicketSettings;
  readonly #alpn: Buffer | null;
  readonly #onDemand: OnDemandCertificates | null;
  readonly #challenges: ChallengeCertificates | null;

  constructor(
    { unknownName, names, minVersion, ciphers, groups, clientAuth, tickets }: ServerTlsSettings,
    { certificates, onDemand, challenges, protocols, contexts }: ServerTlsParts,
  ) {
    this.policies = new ServerPolicies({ minVersion, ciphers, groups, clientAuth }, names);
    this.#tickets = { id: digestOf(tickets), secrets: secretsOf(tickets) };
    this.#refuse = unknownName === 'refuse';
    this.#contexts = contexts;
    this.#onDemand = onDemand;
    this.#challenges = challenges;
    this.#alpn = alpnWireForm(protocols);
    const byName = new Map<string, LiveCertificate[]>();
    for (const one of certificates)
      for (const name of one.names) {
        const others = byName.get(name);
        if (others === undefined) byName.set(name, [one]);
        else if (others.every(({ keyType }) => keyType !== one.keyType)) others.push(one);
      }
    // Names of the same certificates share a group, and so a context.
    const groupsByFirst = new Map<
      LiveCertificate,
      { readonly members: readonly LiveCertificate[]; readonly group: Group }[]
    >();
    const groupOf = (members: readonly LiveCertificate[]): Group => {
      const alike = groupsByFirst.get(members[0]!) ?? [];
      const known = alike.find(
        (one) => one.members.length === members.length && one.members.every((it, i) => it === members[i]),
      );
      if (known !== undefined) return known.group;
      const group = new Group(members);
      groupsByFirst.set(members[0]!, [...alike, { members, group }]);
      return group;
    };
    for (const [name, members] of byName) {
      if (name.startsWith('*.')) this.#wildcards.set(name.slice(2), groupOf(members));
      else this.#exact.set(name, groupOf(members));
    }
    const [first] = certificates;
    this.#default = first === undefined ? null : groupOf(byName.get(first.names[0] ?? '') ?? [first]);
  }

  /** The options of the handshake; null: it is refused (alert unrecognized_name). */
  choose({ serverName, protocols }: ClientHello): TlsOptions | PendingChoice | ChallengeChoice | null {
    if (this.#challenges !== null && protocols.length === 1 && protocols[0] === ACME_TLS)
      return this.#challenge(this.#challenges, serverName);
    const policy = this.policies.of(serverName);
    const group = this.#named(serverName);
    if (group === null && this.#onDemand !== null && serverName !== '') {
      const found = this.#onDemand.find(serverName);
      return found === null
        ? this.#obtain(this.#onDemand, serverName, policy)
        : this.#optionsFor(policy, idOf([found]), [found]);
    }
    const chosen = group ?? (this.#refuse && serverName !== '' ? null : this.#default);
    const certificates = chosen?.certificates ?? [];
    return chosen === null || certificates.length === 0 ? null : this.#optionsFor(policy, chosen.id, certificates);
  }

  #named(name: string): Group | null {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    if (!name.includes('.')) return null;
    return this.#wildcards.get(name.slice(name.indexOf('.') + 1)) ?? null;
  }

  #obtain(onDemand: OnDemandCertificates, serverName: string, policy: TlsPolicy): PendingChoice {
    const options = onDemand
      .obtain(serverName)
      .then((pair) => (pair === null ? null : this.#optionsFor(policy, idOf([pair]), [pair])));
    return { wait: onDemand.wait, options };
  }

  /** `id`: covers the certificates. */
  #optionsFor(policy: TlsPolicy, id: string, certificates: readonly CertificatePair[]): TlsOptions {
    const context = this.#contexts.forServer(
      `${policy.id} ${this.#tickets.id} ${id}`,
      certificates,
      policy,
      this.#tickets,
    );
    return this.#options(context, this.#alpn, policy.clientAuth?.mode ?? 'none');
  }

  /** RFC 8737 §3: the certificate of the challenge, and its protocol. A handshake for another name fails. */
  #challenge(challenges: ChallengeCertificates, serverName: string): ChallengeChoice | null {
    const pair = challenges.tlsAlpn01(serverName);
    if (pair === null) return null;
    const context = createSecureContext({ ca: [], cert: pair.cert, key: pair.key, minVersion: 'TLSv1.2' });
    // Whatever the policy of the name: nothing follows for which a client would need a certificate.
    return { challenge: this.#options(context, alpnWireForm([ACME_TLS]), 'none') };
  }

  #options(
    context: SecureContext,
    alpn: Buffer | null,
    clientCertificate: TlsOptions['clientCertificate'],
  ): TlsOptions {
    return { context, server: true, alpn, serverName: '', session: null, clientCertificate };
  }
}

function secretsOf({ enabled, ticketKeys }: ServerTlsSettings['tickets']): readonly Buffer[] | null {
  if (!enabled) return [];
  return ticketKeys === '' ? null : ticketKeys.split(' ').map((key) => Buffer.from(key, 'base64'));
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('base64url');
}
