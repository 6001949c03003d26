/** The part of the Plan that says which endpoints are found by name, and how the names are asked for. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';

export type DnsType = 'auto' | 'a' | 'aaaa' | 'both' | 'srv';

export interface DnsPlan {
  /** Each with its port; null: the system's. */
  readonly servers: readonly string[] | null;
  /** Milliseconds, in all of these. */
  readonly timeout: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** 0: an address goes with the first answer that lacks it. */
  readonly hold: number;
  /** Percent. */
  readonly jitter: number;
  readonly names: readonly DnsNamePlan[];
}

export interface DnsNamePlan {
  /** As written. */
  readonly name: string;
  /** Without its port. */
  readonly host: string;
  /** 0: the records say it. */
  readonly port: number;
  readonly type: DnsType;
  /** Of each address that is found, in all of these. */
  readonly weight: number;
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** What is known of the name: shape is what is asked, and whom. */
  readonly claim: Claim;
  /** The active checks of its addresses: shape is what they are asked; null: there are none. */
  readonly check: Claim | null;
}
