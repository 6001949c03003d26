/** Part of the Plan: caches, and a route's use of one. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';

export interface CachePlan {
  readonly name: string;
  /** Bytes, in both. */
  readonly maxSize: number;
  readonly maxEntrySize: number;
  readonly key: CacheKeyPlan;
  /** null: in memory only. */
  readonly disk: DiskPlan | null;
  /** The store: its shape is the cache key settings. */
  readonly claim: Claim;
}

export interface DiskPlan {
  readonly path: string;
  /** Bytes. */
  readonly maxSize: number;
}

export interface CacheKeyPlan {
  /** The parameters that are part of the key; null: all. */
  readonly query: readonly string[] | null;
  readonly ignoreQuery: readonly string[];
  readonly sortQuery: boolean;
  /** In lower case. */
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}

export interface CachePolicyPlan {
  readonly type: 'cache';
  /** The cache's name. */
  readonly cache: string;
  readonly claim: Claim;
  /** Milliseconds, in all of these; null: not given. */
  readonly defaultTtl: number | null;
  readonly minTtl: number;
  readonly maxTtl: number | null;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly staleIfUnreachable: number;
  /** 0: requests don't wait. */
  readonly collapseWait: number;
  /** Whether clients' request directives can demand fresher responses. */
  readonly requestDirectives: 'obey' | 'ignore';
  /** Which responses with a Set-Cookie are stored. */
  readonly setCookie: 'explicit' | 'never';
  /** Which 401 responses are stored. */
  readonly unauthorized: 'explicit' | 'never';
  /** Which stored responses may answer requests with Authorization. */
  readonly authorization: 'explicit' | 'any';
  readonly bypass: readonly CacheConditionPlan[];
  readonly noStore: readonly CacheConditionPlan[];
  /** Bytes. */
  readonly finish: number;
  readonly statusHeader: boolean;
}

export interface CacheConditionPlan {
  readonly in: 'header' | 'cookie' | 'query';
  /** The name of a header, in lower case. */
  readonly name: string;
  /** null: any value. */
  readonly value: string | null;
}
