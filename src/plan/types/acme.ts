/** Part of the Plan: what issues certificates. Cold; types only. */

export type IssuedKeyType = 'p256' | 'p384' | 'rsa2048' | 'rsa4096';
export type ChallengeName = 'http-01' | 'tls-alpn-01' | 'dns-01';

export type IssuerPlan = AcmeIssuerPlan | InternalIssuerPlan;

/** The gateway's own authority. */
export interface InternalIssuerPlan {
  readonly type: 'internal';
  readonly name: string;
}

export interface AcmeIssuerPlan {
  readonly type: 'acme';
  readonly name: string;
  readonly directory: string;
  /** PEM: to be trusted besides the certificates of the system; null: none. */
  readonly ca: string | null;
  readonly email: string | null;
  readonly eab: { readonly kid: string; readonly hmacKey: string } | null;
  readonly profile: string | null;
  readonly preferredChain: string | null;
  readonly keyType: IssuedKeyType;
  /** Most wanted first. */
  readonly challenges: readonly ChallengeName[];
  readonly dns: DnsHookPlan | null;
}

export interface DnsHookPlan {
  readonly hook: ExecHookPlan | WebhookPlan | UpdateHookPlan;
  /** Milliseconds. */
  readonly wait: number;
  readonly timeout: number;
}

interface ExecHookPlan {
  readonly type: 'exec';
  readonly command: readonly string[];
}

interface WebhookPlan {
  readonly type: 'webhook';
  readonly url: string;
  readonly authorization: string | null;
}

interface UpdateHookPlan {
  readonly type: 'update';
  readonly host: string;
  readonly port: number;
  readonly zone: string | null;
  readonly key: {
    readonly name: string;
    readonly algorithm: 'hmac-sha256' | 'hmac-sha384' | 'hmac-sha512';
    /** Base64. */
    readonly secret: string;
  } | null;
}

/** Who issues a certificate: the names of issuers of the plan, in the order in which they are tried. */
export interface OriginPlan {
  readonly issuers: readonly string[];
  readonly keyType: IssuedKeyType;
}

export interface OnDemandPlan extends OriginPlan {
  readonly ask: string;
  readonly names: number;
  readonly rate: number;
  /** Milliseconds. */
  readonly per: number;
  readonly wait: number;
}
