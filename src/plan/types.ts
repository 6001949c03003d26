/**
 * The Plan: the meaning of a valid configuration, as plain frozen data. Cold.
 *
 * Made by plan/plan.ts from a GatewayConfig; read by runtime/snapshot/bind.ts, which adds live objects and produces a
 * Snapshot. All names are resolved except those of fallback pools: a route holds its pool, a listener its ACL. Units
 * are milliseconds and bytes. A plan is data: it can be shown, diffed and kept as a golden file.
 */
import type { PathRules } from '../http/path.ts';
import type { AccessRules } from '../kit/access-list.ts';
import type { Claim } from '../kit/claim.ts';
import type { IssuerPlan } from './types/acme.ts';
import type { AdminPlan } from './types/admin.ts';
import type { CachePlan, CachePolicyPlan } from './types/cache.ts';
import type { CompressPlan, DecompressPlan } from './types/coding.ts';
import type { CorsPolicyPlan } from './types/cors.ts';
import type { DisabledPlan } from './types/disabled.ts';
import type { IdentityPlan } from './types/identity.ts';
import type { ModulePlan, ModulePolicyPlan } from './types/module.ts';
import type { DrainOverridePlan, StopPlan } from './types/drain.ts';
import type { OverridesPlan } from './types/overrides.ts';
import type { MirrorPlan, SplitPlan } from './types/traffic.ts';
import type { AddressPlan } from './types/address.ts';
import type { MatchPlan } from './types/match.ts';
import type { ListenerLimits, ListenerTimeouts } from './types/listener-limits.ts';
import type { PoolPlan } from './types/pool.ts';
import type { RespondPlan } from './types/respond.ts';
import type { CertificatePlan, ListenerTlsPlan, TlsRoutePlan } from './types/tls.ts';

export interface Plan {
  readonly admin: AdminPlan | null;
  readonly logging: LoggingPlan;
  readonly reload: ReloadPlan;
  readonly limits: GatewayLimitsPlan;
  /** null: clients can't ask how their request was handled. */
  readonly explain: ExplainPlan | null;
  /** What issues certificates. */
  readonly issuers: readonly IssuerPlan[];
  readonly certificates: readonly CertificatePlan[];
  /** The names of pairs of folders that cannot be used: their last versions stay in effect. */
  readonly brokenCertificates: readonly string[];
  readonly caches: readonly CachePlan[];
  /** The modules of `module` policies, with their texts: binding runs what was checked. */
  readonly modules: readonly ModulePlan[];
  readonly listeners: readonly ListenerPlan[];
  readonly pools: readonly PoolPlan[];
  /** In order of precedence: the first that matches wins. */
  readonly routes: readonly RoutePlan[];
  /** The disabled parts. */
  readonly disabled: DisabledPlan;
}

/** 0: no limit, in all of these. */
export interface GatewayLimitsPlan {
  /** Client connections of all listeners. */
  readonly connections: number;
  /** Bytes of the bodies that buffer policies, and requests of policies to pools, hold. */
  readonly bufferMemory: number;
  /** Bytes of all encoders, and as many of all decoders. */
  readonly compressionMemory: number;
  readonly overload: OverloadPlan;
}

export interface OverloadPlan {
  /** Milliseconds. */
  readonly loopDelay: number;
  /** Bytes. */
  readonly memory: number;
}

export interface ExplainPlan {
  /** In lower case. */
  readonly header: string;
  readonly allow: readonly string[];
}

export interface LoggingPlan {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** stdout, stderr or an absolute file path; null: no access log. */
  readonly access: { readonly path: string } | null;
}

export interface ReloadPlan {
  /** Whether files are watched. */
  readonly watch: boolean;
  /** Milliseconds that a file written in place has to stay unchanged. */
  readonly settle: number;
  /** The rule for the leases of an old generation. */
  readonly drain: StopPlan;
  readonly maxGenerations: number;
  readonly tightened: 'keep' | 'drain' | 'cut';
  /** null: no history is kept. */
  readonly stateDir: string | null;
  readonly history: number;
  readonly startFromLastGood: boolean;
}

export interface AclPlan extends AccessRules {
  readonly name: string;
}

export interface ListenerPlan {
  readonly name: string;
  readonly address: AddressPlan;
  readonly protocol: 'http' | 'tcp';
  /** The pool of a tcp listener; null: it is an http listener, or refuses what no TLS route takes. */
  readonly pool: PoolPlan | null;
  /** The pool of connections that do not begin with TLS although there is `tls` or a TLS route; null: none. */
  readonly plainPool: PoolPlan | null;
  readonly acl: AclPlan | null;
  /** null: clients connect without TLS. */
  readonly tls: ListenerTlsPlan | null;
  /** In order of precedence. */
  readonly tlsRoutes: readonly TlsRoutePlan[];
  /** Outermost first; they come before those of each route. */
  readonly policies: readonly PolicyPlan[];
  /** CIDRs of the peers whose Forwarded and X-Forwarded-* are trusted. */
  readonly trustedProxies: readonly string[];
  readonly identity: IdentityPlan;
  readonly limits: ListenerLimits;
  readonly timeouts: ListenerTimeouts;
  readonly paths: PathRules;
  readonly drain: DrainOverridePlan | null;
  /** The routes of this listener, in order of precedence; empty for tcp. */
  readonly routes: readonly RoutePlan[];
  /** The listening socket: its shape is the address. */
  readonly socket: Claim;
  /** The count of its connections: its shape is empty, only the name matters. */
  readonly count: Claim;
}

export interface RoutePlan extends OverridesPlan {
  readonly name: string;
  /** null: every http listener. */
  readonly listeners: readonly string[] | null;
  readonly match: MatchPlan;
  /** Outermost first. */
  readonly policies: readonly PolicyPlan[];
  readonly action: ActionPlan;
  /** null: requests are not mirrored. */
  readonly mirror: MirrorPlan | null;
  /** Maps the rewritten names in responses back to the names that clients know. */
  readonly mapBack: boolean;
  readonly drain: DrainOverridePlan | null;
}

export type FieldEdits = {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
};

export type PolicyPlan =
  | { readonly type: 'acl'; readonly acl: AclPlan }
  | { readonly type: 'buffer' /** Bytes. */; readonly size: number }
  | CachePolicyPlan
  | CompressPlan
  | CorsPolicyPlan
  | DecompressPlan
  | { readonly type: 'headers'; readonly request: FieldEdits; readonly response: FieldEdits }
  | ModulePolicyPlan
  | { readonly type: 'rewrite'; readonly prefix: string; readonly replacement: string };

export type ActionPlan =
  | { readonly type: 'pool'; readonly pool: PoolPlan }
  | SplitPlan
  | RespondPlan
  | { readonly type: 'redirect'; readonly redirect: RedirectPlan };

/** The parts given replace those parts of the request's URL; null keeps a part. */
export interface RedirectPlan {
  readonly status: number;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
}
