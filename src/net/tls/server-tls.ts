/**
 * The TLS of one listener: chooses the certificate for a ClientHello. Hot.
 *
 * An exact name wins over a wildcard, which stands for one label (RFC 9525 §6.3). Among certificates for the same name,
 * the first of each type of key counts; OpenSSL chooses between the types by what the client supports.
 */
import { createHash } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import { canonical } from '../../kit/canonical.ts';
import type { CertificatePair } from '../../kit/certificate.ts';
import type { ClientHello } from './client-hello.ts';
import type { SecureContexts, TlsPolicy } from './secure-contexts.ts';
import type { TlsOptions } from './handshake.ts';

/** The settings of a listener. */
export interface ServerTlsSettings extends Omit<TlsPolicy, 'id'> {
  readonly unknownName: 'default' | 'refuse';
}

/** Certificates of different key types that serve the same name. */
class Group {
  readonly certificates: readonly CertificatePair[];
  readonly id: string;

  constructor(certificates: readonly CertificatePair[], policy: TlsPolicy) {
    this.certificates = certificates;
    this.id = `${policy.id} ${certificates.map(({ digest }) => digest).join(' ')}`;
  }
}

export class ServerTls {
  readonly #exact = new Map<string, Group>();
  /** By the name without its first label and dot. */
  readonly #wildcards = new Map<string, Group>();
  readonly #default: Group;
  readonly #refuse: boolean;
  readonly #policy: TlsPolicy;
  readonly #contexts: SecureContexts;
  readonly #alpn: Buffer | null;

  /** `certificates`: those that the plan names, in its order; `protocols`: for ALPN, most wanted first. */
  constructor(
    { unknownName, minVersion, ciphers, groups }: ServerTlsSettings,
    certificates: readonly CertificatePair[],
    protocols: readonly string[],
    contexts: SecureContexts,
  ) {
    const settings = { minVersion, ciphers, groups };
    const id = createHash('sha256').update(canonical(settings)).digest('base64url').slice(0, 32);
    this.#policy = { id, ...settings };
    this.#refuse = unknownName === 'refuse';
    this.#contexts = contexts;
    this.#alpn = protocols.length === 0 ? null : wireForm(protocols);
    const byName = new Map<string, CertificatePair[]>();
    for (const one of certificates)
      for (const name of one.names) {
        const others = byName.get(name);
        if (others === undefined) byName.set(name, [one]);
        else if (others.every(({ keyType }) => keyType !== one.keyType)) others.push(one);
      }
    // Names of the same certificates share a group, and so a context.
    const groupsById = new Map<string, Group>();
    const groupOf = (members: readonly CertificatePair[]): Group => {
      const made = new Group(members, this.#policy);
      const group = groupsById.get(made.id) ?? made;
      groupsById.set(made.id, group);
      return group;
    };
    for (const [name, members] of byName) {
      if (name.startsWith('*.')) this.#wildcards.set(name.slice(2), groupOf(members));
      else this.#exact.set(name, groupOf(members));
    }
    const [first] = certificates;
    this.#default = groupOf(byName.get(first!.names[0] ?? '') ?? [first!]);
  }

  /** The options of the handshake; null: it is refused (alert unrecognized_name). */
  choose({ serverName }: ClientHello): TlsOptions | null {
    const group = this.#groupFor(serverName);
    if (group === null) return null;
    return {
      context: this.#contextOf(group),
      server: true,
      alpn: this.#alpn,
      serverName: '',
      session: null,
      requestCertificate: false,
    };
  }

  #groupFor(name: string): Group | null {
    if (name === '') return this.#default;
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const wildcard = this.#wildcards.get(name.slice(name.indexOf('.') + 1));
    if (wildcard !== undefined && name.includes('.')) return wildcard;
    return this.#refuse ? null : this.#default;
  }

  #contextOf({ id, certificates }: Group): SecureContext {
    return this.#contexts.forServer(id, certificates, this.#policy);
  }
}

/** RFC 7301 §3.1. */
function wireForm(protocols: readonly string[]): Buffer {
  return Buffer.concat(protocols.map((one) => Buffer.from(`${String.fromCharCode(one.length)}${one}`, 'latin1')));
}
