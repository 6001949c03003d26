/**
 * What a policy is: settings planned once per reload, hooks bound once per reload, hooks called per request. Both.
 *
 * A policy never imports another policy, a pool, a socket or the snapshot. Order in the config is outermost first:
 * `request` and `forward` hooks run first to last, `response` and `done` hooks last to first.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Verdict, HandlerContext } from '../http/interception.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { HttpCache } from '../cache/store/http-cache.ts';
import type { CachePolicyPlan } from '../plan/types/cache.ts';
import type { Clock } from '../kit/clock.ts';
import type { Deadlines } from '../net/deadlines.ts';

/** The phases a policy takes part in; what it leaves out costs nothing. */
export interface Hooks {
  /** Before a pool is chosen: refuse, answer, or edit the request. */
  request?: (x: Exchange) => LocalReply | undefined | Promise<LocalReply | undefined>;
  /** In place of `request`, for the one policy of a route that answers by itself: it may take the exchange over. */
  take?: (x: Exchange, context: HandlerContext) => Verdict;
  /** The last look at the request before it is sent on; a further attempt sends the same. */
  forward?: (x: Exchange) => void;
  /** The final response head is known and not yet sent. */
  response?: (x: Exchange) => void;
  /** The exchange is over, well or not. */
  done?: (x: Exchange) => void;
  /**
   * Whether an exchange under way would still be let in; for policies that do nothing but let in or refuse. What runs on
   * when such a policy changes is judged by it anew, and goes on as it is if it may. Cold. `x`: as it was routed.
   */
  allows?: Gate;
}

export type Gate = (x: Exchange, clientAddress: string) => boolean;

/** What a policy may hold on to when it is bound. */
export interface BindScope {
  /** Of the route that it stands on. */
  readonly route: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** The cache that its plan claims, which is held for as long as the policy lives. */
  cache(plan: CachePolicyPlan): HttpCache;
}

/** What a policy with state is told to say what it would do. */
export interface PreviewScope {
  /** Of the route that it stands on. */
  readonly route: string;
  /** The request offers to change protocols. */
  readonly upgrade: boolean;
  readonly clock: Clock;
  /** The cache that a plan claims; null: nothing runs by the plan. */
  cache(plan: CachePolicyPlan): HttpCache | null;
}

export interface PolicyPreview {
  /** `asked`: it would be asked, and only then be known. */
  readonly verdict: 'answers' | 'passes' | 'asked';
  readonly why: string;
}

/** Makes the hooks of one configured policy. `P` is its plan. Cold; what it returns is hot. */
export interface Policy<P> {
  bind(plan: P, scope: BindScope): Hooks;
  /**
   * Why its hooks do to `x` what they do, in words, without values of the config. Absent: they have state, which asking
   * them would change; explain/ and the tests of a config then pass it over. Cold.
   */
  why?(plan: P, x: Exchange): string;
  /** For one that has state: what it would do to `x` at this moment, found out without changing anything. Cold. */
  preview?(plan: P, x: Exchange, scope: PreviewScope): PolicyPreview;
  /** Does it keep strangers out? Asked by the invariants of a config. Absent: no. Cold. */
  guards?(plan: P): boolean;
}
