/**
 * The TLS of connections to other servers: its settings, and whether a server is the one that they name. Hot, once for
 * each connection.
 *
 * A certificate is verified by OpenSSL (chain, validity, purpose); this checks the name (RFC 9525) and the pins.
 */
import { createHash, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { digestOf } from '../../kit/canonical.ts';
import type { CaBundle } from '../../kit/ca-bundle.ts';
import type { CertificatePair } from '../../kit/certificate.ts';
import {
  type GatewayError,
  TLS_EXPIRED,
  TLS_HANDSHAKE_FAILED,
  TLS_NAME_MISMATCH,
  TLS_PIN_MISMATCH,
  TLS_UNTRUSTED,
} from '../../kit/errors.ts';
import { alpnWireForm } from './alpn.ts';
import type { TlsOptions } from './handshake.ts';
import type { SecureContexts, TlsVersions } from './secure-contexts.ts';
import type { TlsInfo } from './tls-info.ts';

export interface ClientTlsSettings extends TlsVersions {
  /** null: the roots of the system. */
  readonly ca: CaBundle | null;
  /** The client certificate; null: none. */
  readonly certificate: CertificatePair | null;
  /** Chain, validity and name are checked. */
  readonly verify: boolean;
  /** SHA-256 of public keys in base64; empty: any. */
  readonly pins: readonly string[];
  /** The protocols to offer on connections that carry no HTTP. */
  readonly alpn: readonly string[];
}

/** Characters of a certificate's names in an error. */
const MOST_NAMES = 200;

export class ClientTls {
  /** Settings with the same identity are the same. */
  readonly id: string;
  readonly #settings: ClientTlsSettings;
  readonly #contexts: SecureContexts;
  /** Of the context, which does not depend on pins and names. */
  readonly #contextId: string;
  readonly #http: Buffer | null;
  readonly #raw: Buffer | null;

  /** `protocols`: for connections that carry HTTP, most wanted first. */
  constructor(settings: ClientTlsSettings, protocols: readonly string[], contexts: SecureContexts) {
    const { ca, certificate, verify, pins, alpn, minVersion, ciphers, groups } = settings;
    const made = [ca?.digest ?? null, certificate?.digest ?? null, minVersion, ciphers, groups];
    this.#settings = settings;
    this.#contexts = contexts;
    this.#contextId = `client ${digestOf(made)}`;
    this.id = digestOf([made, verify, pins, alpn, protocols]);
    this.#http = alpnWireForm(protocols);
    this.#raw = alpnWireForm(alpn);
  }

  /** The options of a handshake. `http`: the connection is for HTTP; `session`: one to resume, or null. */
  optionsFor(serverName: string, http: boolean, session: Buffer | null): TlsOptions {
    const { ca, certificate } = this.#settings;
    return {
      context: this.#contexts.forClient(this.#contextId, ca?.chain ?? null, certificate, this.#settings),
      server: false,
      alpn: http ? this.#http : this.#raw,
      // RFC 6066 §3: an IP address is no server name.
      serverName: isIP(serverName) === 0 ? serverName : '',
      session,
      clientCertificate: 'none',
    };
  }

  /** Epoch ms until which a session with the server may be resumed: `certificate` is no longer valid then. */
  trustedUntil({ validToDate }: X509Certificate): number {
    return this.#settings.verify ? validToDate.getTime() : Number.POSITIVE_INFINITY;
  }

  /** Whether the server that has finished a handshake is the right one: null, or why not. */
  judge(
    certificate: X509Certificate | undefined,
    info: Pick<TlsInfo, 'verifyError'>,
    serverName: string,
  ): GatewayError | null {
    const { verify, pins } = this.#settings;
    if (certificate === undefined) return TLS_HANDSHAKE_FAILED.with('the server has sent no certificate');
    if (verify) {
      const failure = info.verifyError();
      if (failure !== null && failure !== undefined) {
        const { code = failure.message } = failure;
        return (EXPIRED.has(code) ? TLS_EXPIRED : TLS_UNTRUSTED).with(code);
      }
      if (!hasName(certificate, serverName)) {
        const { subjectAltName = 'no name' } = certificate;
        return TLS_NAME_MISMATCH.with(`${serverName} is not among ${subjectAltName.slice(0, MOST_NAMES)}`);
      }
    }
    if (pins.length > 0) {
      const pin = pinOf(certificate);
      if (!pins.includes(pin)) return TLS_PIN_MISMATCH.with(pin);
    }
    return null;
  }
}

const EXPIRED = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);

/** Only the subjectAltName counts, and a wildcard stands for one whole label (RFC 9525 §6.3). */
function hasName(certificate: X509Certificate, name: string): boolean {
  if (name === '') return false;
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  return certificate.checkHost(name, { subject: 'never', partialWildcards: false }) !== undefined;
}

function pinOf({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
