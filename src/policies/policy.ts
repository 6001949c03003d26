/**
 * A policy: settings planned once per reload, hooks bound once per reload, hooks called per request. Both hot and cold.
 *
 * A policy never imports another policy, a pool, a socket or the snapshot. The config lists the outermost policy first:
 * `request` and `forward` hooks run first to last, `response` and `done` hooks last to first.
 */
import type { BodyFilter } from '../http/body-filter.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { Verdict, FilterContext } from '../http/interception.ts';
import type { PoolHandle } from '../http/pool-request.ts';
import type { Claim } from '../kit/claim.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Clock } from '../kit/clock.ts';
import type { Deadlines } from '../net/deadlines.ts';

/** The phases of a policy; an absent hook costs nothing. */
export interface Hooks {
  /** Runs before a pool is chosen: refuses, answers, intercepts or edits the request. */
  request?: (x: Exchange, context: FilterContext) => Verdict | Promise<Verdict>;
  /**
   * Milliseconds that the promise of `request` may take, and that a body filter of a module may make no progress;
   * absent: HOOK_TIMEOUT. Infinity: no limit.
   */
  timeout?: number;
  /** `request` may intercept exchanges. Then `response` is not told of local replies. */
  intercepts?: boolean;
  /** Runs last before the request is forwarded; retries send the same request. */
  forward?: (x: Exchange) => HookResult | void;
  /** Runs when the final response head is known and has not been sent. It may edit `x.response`. */
  response?: (x: Exchange) => HookResult | void;
  /**
   * Edits the fields of a reply to a request that could not be read, always in the same way. Not for modules; only the
   * policies of listeners are asked.
   */
  refusal?: (fields: Fields) => void;
  /** Runs when the exchange is over, successful or not. */
  done?: (x: Exchange) => void;
  /**
   * Reports whether an active exchange would still be admitted; for policies that only admit or refuse. When such a
   * policy changes, the gateway checks active exchanges again and keeps those that are still admitted. Cold. `x` is in
   * the state in which it was routed.
   */
  allows?: Gate;
}

/**
 * The result of a `forward` or `response` hook: a filter for the body of that message, or an error that ends the
 * exchange.
 */
export type HookResult = BodyFilter | GatewayError | undefined;

/** The default of `timeout` (ms). */
export const HOOK_TIMEOUT = 30_000;

export type Gate = (x: Exchange, clientAddress: string) => boolean;

type RequestHook = NonNullable<Hooks['request']>;
export type ResponseHook = NonNullable<Hooks['response']>;

/** A place in the order of a route's request hooks. */
export interface RequestStep {
  /** The type of the policy. */
  readonly type: string;
  /** Milliseconds that a promise of the hook may take. */
  readonly timeout: number;
  /** An answer from here passes the response hooks from this index on: those of the policies in front. */
  readonly answersFrom: number;
  /** The response to a subrequest from here passes the response hooks up to this index: those of the policies behind. */
  readonly subrequestsTo: number;
}

/** A route's hooks by phase, in the order in which they run. */
export interface BoundHooks {
  readonly request: readonly RequestHook[];
  /** One for each request hook. */
  readonly steps: readonly RequestStep[];
  readonly forward: readonly NonNullable<Hooks['forward']>[];
  readonly response: readonly ResponseHook[];
  /** The response hooks for local replies: all but those of policies that intercept. */
  readonly local: readonly ResponseHook[];
  readonly refusal: readonly NonNullable<Hooks['refusal']>[];
  readonly done: readonly NonNullable<Hooks['done']>[];
  /** The gates of policies that only admit or refuse. */
  readonly gates: readonly Gate[];
  /** The complete hooks of all other policies. */
  readonly lasting: readonly Hooks[];
}

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
  /** The lasting state that the policy's plan claims; it is held for the life of the policy. */
  claimed(claim: Claim): unknown;
  /** A pool that the policy's plan names, for FilterContext.send. Throws if the plan doesn't name it. */
  pool(name: string): PoolHandle;
}

/** The context for a stateful policy's preview. */
export interface PreviewScope {
  /** The name of the policy's route. */
  readonly route: string;
  /** The request offers to change protocols. */
  readonly upgrade: boolean;
  readonly clock: Clock;
  /** The lasting state that a plan claims; null if no gateway runs the plan. */
  claimed(claim: Claim): unknown;
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
