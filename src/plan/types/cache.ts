/** Part of the Plan: stores of responses, and what a route does with one. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';

export interface CachePlan {
  readonly name: string;
  /** Bytes, in both. */
  readonly maxSize: number;
  readonly maxEntrySize: number;
  readonly key: CacheKeyPlan;
  /** null: in memory alone. */
  readonly disk: DiskPlan | null;
  /** The store: shape is how responses are told apart. */
  readonly claim: Claim;
}

export interface DiskPlan {
  readonly path: string;
  /** Bytes. */
  readonly maxSize: number;
}

export interface CacheKeyPlan {
  /** Parameters that count; null: all. */
  readonly query: readonly string[] | null;
  readonly ignoreQuery: readonly string[];
  readonly sortQuery: boolean;
  /** In lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}

export interface CachePolicyPlan {
  readonly type: 'cache';
  /** Its name. */
  readonly cache: string;
  readonly claim: Claim;
  /** Milliseconds, in all of these; null: not given. */
  readonly defaultTtl: number | null;
  readonly minTtl: number;
  readonly maxTtl: number | null;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly staleIfUnreachable: number;
  /** 0: nobody waits. */
  readonly collapseWait: number;
  /** May clients ask for fresher responses? */
  readonly requestDirectives: 'obey' | 'ignore';
  /** Which responses with a Set-Cookie are stored. */
  readonly setCookie: 'explicit' | 'never';
  /** Which 401 responses are stored. */
  readonly unauthorized: 'explicit' | 'never';
  /** Which stored responses answer requests with Authorization. */
  readonly authorization: 'explicit' | 'any';
  readonly bypass: readonly CacheConditionPlan[];
  readonly noStore: readonly CacheConditionPlan[];
  /** Bytes. */
  readonly finish: number;
  readonly statusHeader: boolean;
}

export interface CacheConditionPlan {
  readonly in: 'header' | 'cookie' | 'query';
  /** Of a header in lower case. */
  readonly name: string;
  /** null: any. */
  readonly value: string | null;
}
