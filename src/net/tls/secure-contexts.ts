/**
 * OpenSSL's contexts, made when they are first needed: those least recently used are forgotten. Hot to find.
 *
 * A context holds a parsed chain and key, tens of KiB. It is found by what it is made of, so that a reload keeps those
 * whose certificates and settings are unchanged.
 */
import { constants, hkdfSync, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { CertificatePair } from '../../kit/certificate.ts';
import { CRL_BLOCK } from '../../kit/client-authorities.ts';
import type { TlsPolicy } from './server-policies.ts';

/** Contexts kept: 1000 need about 60 MiB. */
const MOST = 1000;

/** Bytes of a ticket key: its name and two keys (RFC 5077 §4). */
const TICKET_KEY = 48;

/** Seconds during which a session can be resumed. */
const SESSION_TIMEOUT = 24 * 3600;

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
      ...trustOf(policy),
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

/** The authorities of clients. Without `ca`, OpenSSL would load the roots of the system. */
function trustOf({ clientAuth }: TlsPolicy): SecureContextOptions {
  if (clientAuth === null) return { ca: [] };
  const { ca, crl } = clientAuth.authorities;
  // Node reads one list of each text.
  return { ca, allowPartialTrustChain: true, ...(crl === '' ? {} : { crl: crl.match(CRL_BLOCK) ?? [] }) };
}
