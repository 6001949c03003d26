/** Part of the Plan: endpoints found by DNS name, and how the names are looked up. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';

export type DnsType = 'auto' | 'a' | 'aaaa' | 'both' | 'srv';

export interface DnsPlan {
  /** Each with its port; null: the system's. */
  readonly servers: readonly string[] | null;
  /** Milliseconds, in all of these. */
  readonly timeout: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** 0: an address is removed with the first answer that lacks it. */
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
  /** 0: the records give the port. */
  readonly port: number;
  readonly type: DnsType;
  /** For each address found, in all of these. */
  readonly weight: number;
  readonly maxConnections: number;
  readonly maxRequests: number;
  /** The name's resolution: the shape is the query and the servers. */
  readonly claim: Claim;
  /** The active checks of its addresses: the shape is the check's request; null: there are none. */
  readonly check: Claim | null;
}
