/** Part of the Plan: the admin listener. Cold; types only. */
import type { Claim } from '../../kit/claim.ts';
import type { AddressPlan } from './address.ts';

export interface AdminPlan {
  readonly address: AddressPlan;
  /** The host names that it accepts, in lower case; `*.example.com` accepts its subdomains. */
  readonly hosts: readonly string[];
  /** Hex SHA-256 of the token that actions need; null: no token, and only local clients may perform actions. */
  readonly token: string | null;
  /** null: pushing configs is disabled. */
  readonly push: AdminPushPlan | null;
  readonly claim: Claim;
}

export interface AdminPushPlan {
  /** Hex SHA-256 of the token, so that the plan does not contain it. */
  readonly token: string;
  /** Bytes. */
  readonly maxSize: number;
  /** Whether a pushed config may have `module` policies. */
  readonly modules: boolean;
}
