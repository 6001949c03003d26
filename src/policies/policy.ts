/**
 * A policy: settings planned once per reload, hooks bound once per reload, hooks called per request. Both hot and cold.
 *
 * A policy never imports another policy, a pool, a socket or the snapshot. The config lists the outermost policy first:
 * `request` and `forward` hooks run first to last, `response` and `done` hooks last to first.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Verdict, HandlerContext } from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { HttpCache } from '../cache/store/http-cache.ts';
import type { CachePolicyPlan } from '../plan/types/cache.ts';
import type { Clock } from '../kit/clock.ts';
import type { Deadlines } from '../net/deadlines.ts';

/** The phases of a policy; an absent hook costs nothing. */
export interface Hooks {
  /** Runs before a pool is chosen: refuses, answers or edits the request. */
  request?: (x: Exchange, context: HandlerContext) => LocalReply | undefined | Promise<LocalReply | undefined>;
  /** Replaces `request` in the one policy of a route that may intercept the exchange. */
  take?: (x: Exchange, context: HandlerContext) => Verdict;
  /** Runs last before the request is forwarded; retries send the same request. */
  forward?: (x: Exchange) => void;
  /** Runs when the final response head is known and has not been sent. */
  response?: (x: Exchange) => void;
  /** Runs when the exchange is over, successful or not. */
  done?: (x: Exchange) => void;
  /**
   * Reports whether an active exchange would still be admitted; for policies that only admit or refuse. When such a
   * policy changes, the gateway checks active exchanges again and keeps those that are still admitted. Cold. `x` is in
   * the state in which it was routed.
   */
  allows?: Gate;
}

export type Gate = (x: Exchange, clientAddress: string) => boolean;

/** The gateway's log: one JSON line per call, so nothing is logged per request. */
export interface PolicyLog {
  info(event: string, fields?: object): void;
  warn(event: string, fields?: object): void;
  error(event: string, fields?: object): void;
}

/** What a policy may keep from its binding. */
export interface BindScope {
  /** The name of the policy's route. */
  readonly route: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly log: PolicyLog;
  /** The cache that the plan claims; it is held for the life of the policy. */
  cache(plan: CachePolicyPlan): HttpCache;
}

/** The context for a stateful policy's preview. */
export interface PreviewScope {
  /** The name of the policy's route. */
  readonly route: string;
  /** The request offers to change protocols. */
  readonly upgrade: boolean;
  readonly clock: Clock;
  /** The cache that a plan claims; null if no gateway runs the plan. */
  cache(plan: CachePolicyPlan): HttpCache | null;
}

export interface PolicyPreview {
  /** `asked`: the policy would run, but its answer can't be predicted without its state. */
  readonly verdict: 'answers' | 'passes' | 'asked';
  readonly why: string;
}

/** Creates the hooks of one configured policy. `P` is its plan. Cold; the result is hot. */
export interface Policy<P> {
  bind(plan: P, scope: BindScope): Hooks;
  /**
   * Explains what the hooks do to `x`, without values from the config. Absent in policies whose state a call would
   * change; explain/ and the tests of a config then skip the policy. Cold.
   */
  why?(plan: P, x: Exchange): string;
  /** For stateful policies: predicts the effect on `x` at this moment without changing any state. Cold. */
  preview?(plan: P, x: Exchange, scope: PreviewScope): PolicyPreview;
  /** Reports whether the policy keeps out unknown clients, for the invariants of a config. Absent: no. Cold. */
  guards?(plan: P): boolean;
}
