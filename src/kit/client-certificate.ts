/**
 * The certificate with which a client has authenticated itself. Hot: made once per connection, read when asked.
 *
 * Node's texts are taken apart here only. A value that could be mistaken for two is quoted there (CVE-2021-44532).
 */
import type { X509Certificate } from 'node:crypto';

/** The names of a subjectAltName (RFC 5280 §4.2.1.6). */
export interface AlternativeNames {
  /** In lower case. */
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
  readonly ip: readonly string[];
}

export class ClientCertificate {
  readonly x509: X509Certificate;
  /** Those of its issuers that the client has sent. After a session has been resumed there are none. */
  readonly issuers: readonly X509Certificate[];
  /** Unix ms. */
  readonly notAfter: number;
  #leafField = '';
  #chainField = '';
  #names: AlternativeNames | null = null;
  #subject = '';
  #issuer = '';
  #fingerprint = '';

  constructor(x509: X509Certificate, issuers: readonly X509Certificate[]) {
    this.x509 = x509;
    this.issuers = issuers;
    this.notAfter = x509.validToDate.getTime();
  }

  /** Hex SHA-256 of its DER, in lower case. */
  get fingerprint(): string {
    return (this.#fingerprint ||= fingerprintOf(this.x509));
  }

  /** In the form of RFC 4514: CN=alice,O=Example. */
  get subject(): string {
    return (this.#subject ||= distinguishedName(this.x509.subject));
  }

  get issuer(): string {
    return (this.#issuer ||= distinguishedName(this.x509.issuer));
  }

  /** Hex, in lower case. */
  get serial(): string {
    return this.x509.serialNumber.toLowerCase();
  }

  get names(): AlternativeNames {
    return (this.#names ??= namesOf(this.x509.subjectAltName ?? ''));
  }

  /** The value of Client-Cert (RFC 9440 §2.2): a byte sequence (RFC 9651 §3.3.5). */
  get leafField(): string {
    return (this.#leafField ||= byteSequence(this.x509));
  }

  /** The value of Client-Cert-Chain (RFC 9440 §2.3), or ''. */
  get chainField(): string {
    return (this.#chainField ||= this.issuers.map(byteSequence).join(', '));
  }

  /** The SPIFFE ID (X.509-SVID §2: exactly one URI), or ''. */
  get spiffe(): string {
    const { uri } = this.names;
    return uri.length === 1 && uri[0]!.startsWith('spiffe://') ? uri[0]! : '';
  }
}

function byteSequence({ raw }: X509Certificate): string {
  return `:${raw.toString('base64')}:`;
}

/** Colons are for people. */
export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

/** Node has one line for each relative name, most significant first, with the escapes of RFC 4514. */
export function distinguishedName(lines: string): string {
  return (lines ?? '').split('\n').toReversed().join(',');
}

const ENTRY = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)/y;

function namesOf(text: string): AlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], email: [] as string[], ip: [] as string[] };
  ENTRY.lastIndex = 0;
  for (let match = ENTRY.exec(text); match !== null; match = ENTRY.exec(text)) {
    const [, type, written = ''] = match;
    const value = written.startsWith('"') ? unquoted(written) : written;
    if (value === null) continue;
    if (type === 'DNS') names.dns.push(value.toLowerCase());
    else if (type === 'URI') names.uri.push(value);
    else if (type === 'email') names.email.push(value);
    else if (type === 'IP Address') names.ip.push(value);
  }
  return names;
}

function unquoted(text: string): string | null {
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}
