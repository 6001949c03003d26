/**
 * OpenSSL's contexts, made when they are first needed: those least recently used are forgotten. Hot to find.
 *
 * A context holds a parsed chain and key, tens of KiB. It is found by what it is made of, so that a reload keeps those
 * whose certificates and settings are unchanged.
 */
import { constants, hkdfSync, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { CertificatePair } from '../../kit/certificate.ts';

/** Contexts kept: 1000 need about 60 MiB. */
const MOST = 1000;

/** Bytes of a ticket key: its name and two keys (RFC 5077 §4). */
const TICKET_KEY = 48;

/** Seconds during which a session can be resumed. */
const SESSION_TIMEOUT = 24 * 3600;

/** The settings of the connections that share tickets: a session is resumed only under the policy that it began under. */
export interface TlsPolicy {
  /** Its digest: at most 32 characters (the session ID context of OpenSSL). */
  readonly id: string;
  readonly minVersion: '1.2' | '1.3';
  readonly ciphers: string;
  readonly groups: string;
}

export class SecureContexts {
  /** Least recently used first. */
  readonly #contexts = new Map<string, SecureContext>();
  /** All ticket keys are derived from it: contexts that are made again, or have a renewed certificate, accept old tickets. */
  readonly #secret = randomBytes(32);

  get size(): number {
    return this.#contexts.size;
  }

  /** The context of a server with these certificates: one for each type of key. `id`: covers all of it. */
  forServer(id: string, certificates: readonly CertificatePair[], policy: TlsPolicy): SecureContext {
    const known = this.#contexts.get(id);
    if (known !== undefined) {
      // The last one stays last: a gateway with one certificate moves nothing.
      if (this.#contexts.size > 1) {
        this.#contexts.delete(id);
        this.#contexts.set(id, known);
      }
      return known;
    }
    const options: SecureContextOptions = {
      // Without it OpenSSL would load the roots of the system, which a server needs for client certificates only.
      ca: [],
      cert: certificates.map(({ chain }) => chain),
      key: certificates.map(({ key }) => key),
      minVersion: `TLSv${policy.minVersion}`,
      maxVersion: 'TLSv1.3',
      ciphers: policy.ciphers,
      ecdhCurve: policy.groups,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
      sessionIdContext: policy.id,
      sessionTimeout: SESSION_TIMEOUT,
      ticketKeys: this.#ticketKey(policy.id),
      certificateCompression: ['zstd', 'brotli', 'zlib'],
    };
    const context = createSecureContext(options);
    this.#contexts.set(id, context);
    if (this.#contexts.size > MOST) this.#contexts.delete(this.#contexts.keys().next().value!);
    return context;
  }

  #ticketKey(policy: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, '', `ticket key of ${policy}`, TICKET_KEY));
  }
}
