/** Part of the Plan: certificates, and the TLS settings of a listener. Cold; types only. */
import type { CaBundle } from '../../kit/ca-bundle.ts';
import type { CertificatePair } from '../../kit/certificate.ts';
import type { AuthorityBundle } from '../../kit/client-authorities.ts';
import type { OnDemandPlan, OriginPlan } from './acme.ts';
import type { PoolPlan } from './pool.ts';

export type CertificatePlan = FileCertificatePlan | IssuedCertificatePlan;

export interface FileCertificatePlan extends CertificatePair {
  readonly type: 'file';
  /** `FOLDER/NAME` for one of a folder. */
  readonly name: string;
  /** The name in `certificates`: that of the folder for one of a folder. */
  readonly entry: string;
  /** The absolute path; '': its text comes from a reference. */
  readonly file: string;
}

/** The gateway obtains and renews it. */
export interface IssuedCertificatePlan extends OriginPlan {
  readonly type: 'issued';
  readonly name: string;
  /** DNS names in lower case, wildcards, and IP addresses without brackets. */
  readonly names: readonly string[];
}

export interface ClientAuthPlan {
  readonly mode: 'optional' | 'required';
  readonly authorities: AuthorityBundle;
  /** The most intermediate certificates. */
  readonly depth: number;
}

export interface TlsVersionsPlan {
  readonly minVersion: '1.2' | '1.3';
  /** In the form of OpenSSL: names with colons between them. */
  readonly ciphers: string;
  readonly groups: string;
}

/** The settings of a handshake. */
export interface HandshakePlan extends TlsVersionsPlan {
  /** null: clients are not asked for a certificate. */
  readonly clientAuth: ClientAuthPlan | null;
}

/** The settings for one server name. */
export interface TlsNamePlan extends HandshakePlan {
  /** In lower case: exact, or `*.example.com` for all names below. */
  readonly name: string;
}

export interface ListenerTlsPlan extends HandshakePlan {
  /** The names of the certificates, in the plan's `certificates` or its `brokenCertificates`; the first is the default. */
  readonly certificates: readonly string[];
  /** null: a name that no certificate has gets none. */
  readonly onDemand: OnDemandPlan | null;
  readonly unknownName: 'default' | 'refuse';
  readonly names: readonly TlsNamePlan[];
  readonly tickets: TicketsPlan;
}

export interface TicketsPlan {
  readonly enabled: boolean;
  /** Secrets in base64 with spaces between them, the newest first; empty: the gateway makes its own. */
  readonly ticketKeys: string;
}

/** Conditions on a ClientHello; null: none of that kind. */
export interface TlsMatchPlan {
  /** In lower case: exact, or `*.example.com` for all names below. */
  readonly serverName: readonly string[] | null;
  readonly alpn: readonly string[] | null;
}

/** Selects TLS connections before anything is decrypted. */
export interface TlsRoutePlan {
  readonly name: string;
  readonly match: TlsMatchPlan;
  readonly mode: 'passthrough' | 'terminate';
  /** null: the connections are decrypted, and bring requests. */
  readonly pool: PoolPlan | null;
}

/** The TLS of connections to a pool's endpoints. */
export interface PoolTlsPlan extends TlsVersionsPlan {
  /** null: the roots of the system. */
  readonly ca: CaBundle | null;
  /** null: the endpoint's own; `from_host`: the host that the endpoint gets. */
  readonly serverName: string | null;
  /** The client certificate; null: none. */
  readonly certificate: FileCertificatePlan | null;
  /** `false`: chain, validity and name of the endpoint's certificate are not checked. */
  readonly verify: boolean;
  /** SHA-256 of public keys in base64; empty: any. */
  readonly pins: readonly string[];
  /** For connections of tcp listeners. */
  readonly alpn: readonly string[];
}
