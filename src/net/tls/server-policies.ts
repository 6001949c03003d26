/**
 * The TLS policies of one listener by server name, and whether a request may come over a connection. Hot.
 *
 * The server name of a handshake and the host of a request are both the client's to say. So a connection is bound to the
 * policy that its handshake met: a request for a host with another policy is misdirected (RFC 9110 §15.5.20). Otherwise
 * a client could show no certificate for one name, and then ask for another.
 */
import { createHash } from 'node:crypto';
import { canonical } from '../../kit/canonical.ts';
import { type AuthorityBundle, ClientAuthorities } from '../../kit/client-authorities.ts';
import type { TlsSession } from './tls-session.ts';

/** Whose certificates clients need. */
export interface ClientAuthSettings {
  readonly mode: 'optional' | 'required';
  readonly authorities: AuthorityBundle;
  /** The most intermediate certificates. */
  readonly depth: number;
}

/** The settings of a handshake. */
export interface HandshakeSettings {
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly groups: string;
  /** null: clients are not asked for a certificate. */
  readonly clientAuth: ClientAuthSettings | null;
}

export interface NamedSettings extends HandshakeSettings {
  /** In lower case: exact, or `*.example.com` for all names below. */
  readonly name: string;
}

/**
 * The settings of the connections that share tickets: a session is resumed only under the policy that it began under.
 * New authorities or revocation lists make another policy, so that each client is verified by them.
 */
export class TlsPolicy implements HandshakeSettings {
  /** Its digest: 32 characters, as many as OpenSSL's session ID context has. */
  readonly id: string;
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly groups: string;
  readonly clientAuth: ClientAuthSettings | null;
  /** Parsed when first needed. */
  #authorities: ClientAuthorities | null = null;

  constructor({ minVersion, ciphers, groups, clientAuth }: HandshakeSettings) {
    this.minVersion = minVersion;
    this.ciphers = ciphers;
    this.groups = groups;
    this.clientAuth = clientAuth;
    const auth = clientAuth === null ? null : { ...clientAuth, authorities: clientAuth.authorities.digest };
    const settings = canonical({ minVersion, ciphers, groups, clientAuth: auth });
    this.id = createHash('sha256').update(settings).digest('base64url').slice(0, 32);
  }

  /** Only where there is `clientAuth`. */
  get authorities(): ClientAuthorities {
    return (this.#authorities ??= new ClientAuthorities(this.clientAuth!.authorities));
  }
}

/** '': the request may come over this connection. */
export type PolicyRefusal = '' | 'misdirected' | 'denied';

export class ServerPolicies {
  /** For clients that send no server name, and for names without settings of their own. */
  readonly base: TlsPolicy;
  readonly #exact = new Map<string, TlsPolicy>();
  /** By the name without its star. */
  readonly #wildcards = new Map<string, TlsPolicy>();
  /** Whether connections differ at all: if not, any of them may carry any request. */
  readonly binding: boolean;

  constructor(base: HandshakeSettings, names: readonly NamedSettings[]) {
    this.base = new TlsPolicy(base);
    const byId = new Map([[this.base.id, this.base]]);
    for (const { name, ...settings } of names) {
      const made = new TlsPolicy(settings);
      const policy = byId.get(made.id) ?? made;
      byId.set(policy.id, policy);
      if (name.startsWith('*.')) this.#wildcards.set(name.slice(1), policy);
      else this.#exact.set(name, policy);
    }
    this.binding = byId.size > 1 || this.base.clientAuth !== null;
  }

  /** An exact name wins, then the longest wildcard, as among routes. `name`: in lower case, without a trailing dot. */
  of(name: string): TlsPolicy {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size > 0)
      for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1)) {
        const wildcard = this.#wildcards.get(name.slice(dot));
        if (wildcard !== undefined) return wildcard;
      }
    return this.base;
  }

  /**
   * Whether a request for `host` may come over a connection. `session`: null if the connection is from a time when the
   * listener had no TLS; `now`: Unix ms.
   */
  refusal(session: TlsSession | null, host: string, now: number): PolicyRefusal {
    // A trailing dot makes a name absolute, but not a different name.
    const wanted = this.of(host.endsWith('.') ? host.slice(0, -1) : host);
    if (session === null) return 'misdirected';
    const { client } = session;
    if (session.policy === wanted && (client === null || client.notAfter >= now)) return '';
    // A new connection with the same server name would meet the same policy: without a name, none can help.
    if (this.of(session.serverName) !== wanted) return session.serverName === '' ? 'denied' : 'misdirected';
    return this.admits(session, now) ? '' : 'misdirected';
  }

  /**
   * Whether the client of a connection would still be let in. If so, the connection is bound to the policy that is now in
   * effect for its server name. `session`: as above.
   */
  admits(session: TlsSession | null, now: number): boolean {
    if (session === null) return false;
    const { client } = session;
    const policy = this.of(session.serverName);
    const { clientAuth } = policy;
    if (clientAuth !== null) {
      if (client === null) {
        if (clientAuth.mode === 'required') return false;
      } else if (client.notAfter < now) return false;
      else if (session.policy.id !== policy.id) {
        // New lists of the same authorities are the common case.
        const verified = session.policy.clientAuth?.authorities.ca === clientAuth.authorities.ca;
        if (policy.authorities.refusal(client, clientAuth.depth, now, verified) !== '') return false;
      }
    }
    session.policy = policy;
    return true;
  }

  /** Whether an authority has revoked the certificate of a connection's client. Cheap: it verifies nothing. */
  revokes(session: TlsSession | null): boolean {
    const client = session?.client ?? null;
    if (session === null || client === null) return false;
    const policy = this.of(session.serverName);
    return policy.clientAuth !== null && policy.authorities.revokes(client);
  }
}
