/**
 * OpenSSL's contexts, made when they are first needed: those least recently used are forgotten. Hot to find.
 *
 * A context holds a parsed chain and key, tens of KiB. It is found by what it is made of, so that a reload keeps those
 * whose certificates and settings are unchanged.
 */
import { constants } from 'node:crypto';
import { createSecureContext, getCACertificates, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { CertificatePair } from '../../kit/certificate.ts';
import { CRL_BLOCK } from '../../kit/client-authorities.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Random } from '../../kit/random.ts';
import type { TlsPolicy } from './server-policies.ts';
import { SESSION_TIMEOUT, ticketOptions, TicketSecrets, useTicketKeys } from './ticket-keys.ts';

/** Contexts kept: 1000 need about 60 MiB. */
const MOST = 1000;

/** The session tickets of a listener. */
export interface TicketSettings {
  /** Covers the secrets. */
  readonly id: string;
  /** The newest first; empty: there are no tickets; null: the gateway's own. */
  readonly secrets: readonly Buffer[] | null;
}

/** In the form of OpenSSL. */
export interface TlsVersions {
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly groups: string;
}

export class SecureContexts {
  /** Least recently used first. */
  readonly #contexts = new Map<string, SecureContext>();
  /** Contexts that are made again, or have a renewed certificate, accept old tickets. */
  readonly #secrets: TicketSecrets;

  constructor(clock: Clock, random: Random) {
    // Each is made again, with the new keys, when it is needed.
    this.#secrets = new TicketSecrets(clock, random, () => this.#contexts.clear());
  }

  get size(): number {
    return this.#contexts.size;
  }

  /** Ends the rotation of the tickets' secrets. */
  close(): void {
    this.#secrets.close();
  }

  /** The context of a server with these certificates: one for each type of key. `id`: covers all of it. */
  forServer(
    id: string,
    certificates: readonly CertificatePair[],
    policy: TlsPolicy,
    tickets: TicketSettings,
  ): SecureContext {
    const known = this.#find(id);
    if (known !== null) return known;
    const ticketSecrets = tickets.secrets ?? this.#secrets.current;
    const { noTickets, ...ticketKeys } = ticketOptions(ticketSecrets, policy.id);
    const versions = versionsOf(policy);
    const context = createSecureContext({
      ...trustOf(policy),
      cert: certificates.map(({ chain }) => chain),
      key: certificates.map(({ key }) => key),
      ...versions,
      secureOptions: versions.secureOptions | noTickets,
      sessionIdContext: policy.id,
      sessionTimeout: SESSION_TIMEOUT,
      ...ticketKeys,
    });
    useTicketKeys(context, ticketSecrets, policy.id);
    return this.#keep(id, context);
  }

  /** The context of clients. `id`: covers all of it; `ca`: PEM, null: the roots of the system. */
  forClient(id: string, ca: string | null, certificate: CertificatePair | null, versions: TlsVersions): SecureContext {
    const known = this.#find(id);
    if (known !== null) return known;
    const context = createSecureContext({
      ca: ca ?? systemRoots(),
      // Each of them is trusted, also one that is not self-signed (RFC 5280 §6.1.1).
      allowPartialTrustChain: true,
      ...(certificate === null ? {} : { cert: certificate.chain, key: certificate.key }),
      ...versionsOf(versions),
    });
    return this.#keep(id, context);
  }

  #find(id: string): SecureContext | null {
    const known = this.#contexts.get(id);
    if (known === undefined) return null;
    // The last one stays last: a gateway with one certificate moves nothing.
    if (this.#contexts.size > 1) {
      this.#contexts.delete(id);
      this.#contexts.set(id, known);
    }
    return known;
  }

  #keep(id: string, context: SecureContext): SecureContext {
    this.#contexts.set(id, context);
    if (this.#contexts.size > MOST) this.#contexts.delete(this.#contexts.keys().next().value!);
    return context;
  }
}

/** The authorities of clients. Without `ca`, OpenSSL would load the roots of the system. */
function trustOf({ clientAuth }: TlsPolicy): SecureContextOptions {
  if (clientAuth === null) return { ca: [] };
  const { ca, crl } = clientAuth.authorities;
  // Node reads one list of each text.
  return { ca, allowPartialTrustChain: true, ...(crl === '' ? {} : { crl: crl.match(CRL_BLOCK) ?? [] }) };
}

function versionsOf({ minVersion, ciphers, groups }: TlsVersions) {
  return {
    minVersion: `TLSv${minVersion}`,
    maxVersion: 'TLSv1.3',
    ciphers,
    ecdhCurve: groups,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
    certificateCompression: ['zstd', 'brotli', 'zlib'],
  } as const;
}

/** Read when they are first needed. Where the system has none, those that come with Node. */
function systemRoots(): string[] {
  const roots = getCACertificates('system');
  return roots.length > 0 ? roots : getCACertificates('bundled');
}
