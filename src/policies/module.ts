/**
 * Runs a policy that a module of the config exports. Hot after bind.
 *
 * The hooks of a module are code that the gateway does not know. So each is wrapped once, at bind: an error in a hook
 * ends its exchange with a 500 (`policy_failed`) and a line in the log, and nothing else.
 */
import type { BodyFilter } from '../http/body-filter.ts';
import { ExchangeBefore, localReplyOf, type PlainReply, problemOfReply } from '../http/checked-edits.ts';
import { RequestBefore, ResponseBefore } from '../http/checked-edits.ts';
import type { Exchange } from '../http/exchange.ts';
import { type FilterGuard, GuardedFilter } from '../http/guarded-filter.ts';
import { GuardedContext } from '../http/guarded-interception.ts';
import { CachedReply } from '../http/cached-reply.ts';
import { INTERCEPTED, type Verdict } from '../http/interception.ts';
import { LocalReply, problemReply } from '../http/local-reply.ts';
import { GatewayError, POLICY_FAILED } from '../kit/errors.ts';
import { loadedModule } from '../kit/versioned-modules.ts';
import type { ModulePolicyPlan } from '../plan/types/module.ts';
import {
  type BindScope,
  HOOK_TIMEOUT,
  type HookResult,
  type Hooks,
  type Policy,
  type PolicyPreview,
} from './policy.ts';

/** A module's policy: `P` are its settings. */
type ModulePolicy = Policy<Readonly<Record<string, unknown>>>;

const FAILED = problemReply(POLICY_FAILED.status);

/** Milliseconds between two log lines about one policy of one route. */
const QUIET = 1000;

/** Throws if this version of the module is not loaded. */
function policyIn({ module, digest }: ModulePolicyPlan): ModulePolicy {
  const loaded = loadedModule(module, digest);
  if (loaded === null) throw new Error(`${module} is not loaded`);
  // config/policy-modules.ts has checked that it has `bind`.
  return loaded.exports['default'] as ModulePolicy;
}

/** The policy of this plan. The module decides whether there is more than `bind`. */
export function modulePolicy(plan: ModulePolicyPlan): Policy<ModulePolicyPlan> {
  const policy: Policy<ModulePolicyPlan> = {
    bind: ({ config }, scope) => guarded(policyIn(plan).bind(config, scope), new Failures(plan.module, scope), scope),
  };
  if (loadedModule(plan.module, plan.digest) === null) return policy;
  const own = policyIn(plan);
  if (own.why !== undefined)
    policy.why = ({ config }, x) =>
      safely(
        () => own.why!(config, x),
        (problem) => `its explanation failed: ${problem}`,
      );
  if (own.preview !== undefined)
    policy.preview = ({ config }, x, scope) =>
      safely<PolicyPreview>(
        () => own.preview!(config, x, scope),
        (problem) => ({ verdict: 'asked', why: `its preview failed: ${problem}` }),
      );
  if (own.guards !== undefined)
    policy.guards = ({ config }) =>
      safely(
        () => own.guards!(config),
        () => false,
      );
  return policy;
}

function safely<T>(run: () => T, instead: (problem: string) => T): T {
  try {
    return run();
  } catch (error) {
    return instead(textOf(error));
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Reports the errors of one policy's hooks, at most one a second. */
class Failures {
  readonly #module: string;
  readonly #scope: BindScope;
  #lastAt = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(module: string, scope: BindScope) {
    this.#module = module;
    this.#scope = scope;
  }

  note(hook: string, error: unknown): void {
    const { clock, log, route } = this.#scope;
    const now = clock.now();
    if (now - this.#lastAt < QUIET) {
      this.#untold++;
      return;
    }
    this.#lastAt = now;
    const untold = this.#untold === 0 ? {} : { untold: this.#untold };
    this.#untold = 0;
    log.error('a policy failed', { module: this.#module, route, hook, problem: textOf(error), ...untold });
  }
}

/** Wraps each hook there is. */
function guarded(hooks: Hooks, failures: Failures, { deadlines }: BindScope): Hooks {
  // The type holds for TypeScript only.
  if (typeof hooks !== 'object' || hooks === null) throw new TypeError('bind must return an object of hooks');
  const { request, forward, response, done, allows } = hooks;
  const guards: Hooks = {};
  if (hooks.intercepts !== undefined) guards.intercepts = hooks.intercepts;
  if (hooks.timeout !== undefined) guards.timeout = hooks.timeout;
  const { timeout = HOOK_TIMEOUT } = hooks;
  const guardOf = (name: string): FilterGuard => ({
    deadlines,
    timeout,
    note: (error) => failures.note(name, error),
  });
  if (request !== undefined) {
    const guard = guardOf('request');
    guards.request = (x, context) => {
      const own = new GuardedContext(context, guard);
      const exchange = new ExchangeBefore(x);
      const before = new RequestBefore(x);
      const failed = (error: unknown): LocalReply => {
        // A promise may outlast its exchange, whose response has come meanwhile.
        exchange.restore(x.response);
        own.problemOf(false);
        guard.note(error);
        x.error = POLICY_FAILED.code;
        return FAILED;
      };
      const checked = (verdict: Verdict): Verdict => {
        const edits = exchange.restore(x.response) || before.check(false);
        const problem = edits || problemOfVerdict(verdict) || own.problemOf(verdict === INTERCEPTED);
        return problem === '' ? replyOf(verdict) : failed(new TypeError(problem));
      };
      try {
        const verdict = request.call(hooks, x, own);
        return verdict instanceof Promise ? verdict.then(checked).catch(failed) : checked(verdict);
      } catch (error) {
        return failed(error);
      }
    };
  }
  if (forward !== undefined) {
    const guard = guardOf('forward');
    guards.forward = (x) => runEditing(forward, hooks, x, new RequestBefore(x), guard);
  }
  if (response !== undefined) {
    const guard = guardOf('response');
    guards.response = (x) => {
      const head = x.response;
      return head === null ? undefined : runEditing(response, hooks, x, new ResponseBefore(head, x.method), guard);
    };
  }
  if (done !== undefined)
    guards.done = (x) => {
      const { response: head } = x;
      const exchange = new ExchangeBefore(x);
      const failed = (error: unknown): void => failures.note('done', error);
      try {
        const result: unknown = done.call(hooks, x);
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
      const problem = exchange.restore(head);
      if (problem !== '') failed(new TypeError(problem));
    };
  if (allows !== undefined)
    guards.allows = (x, clientAddress) => {
      try {
        // A promise would be a yes.
        const verdict: unknown = allows.call(hooks, x, clientAddress);
        if (typeof verdict !== 'boolean') throw notWaitedFor(verdict, 'allows returns true or false');
        return verdict;
      } catch (error) {
        failures.note('allows', error);
        return false;
      }
    };
  return guards;
}

/** The problem with what a request hook returns; '' if there is none. */
function problemOfVerdict(verdict: unknown): string {
  if (verdict === undefined || verdict === INTERCEPTED) return '';
  if (typeof verdict !== 'object' || verdict === null || !('status' in verdict))
    return 'a request hook returns a reply or nothing';
  return verdict instanceof CachedReply ? '' : problemOfReply(verdict as LocalReply | PlainReply);
}

/** A module may write a reply as a plain object. */
function replyOf(verdict: Verdict): Verdict {
  return typeof verdict !== 'object' || verdict instanceof CachedReply ? verdict : localReplyOf(verdict);
}

/** Runs a hook that may edit a head and filter its body. `before`: the head as it was. */
function runEditing(
  hook: NonNullable<Hooks['forward' | 'response']>,
  hooks: Hooks,
  x: Exchange,
  before: RequestBefore | ResponseBefore,
  guard: FilterGuard,
): HookResult {
  const { response } = x;
  const exchange = new ExchangeBefore(x);
  try {
    const filter: unknown = hook.call(hooks, x);
    if (filter instanceof Promise) throw notWaitedFor(filter, 'only a request hook may return a promise');
    const problem = exchange.restore(response) || before.check(filter !== undefined);
    if (problem !== '') throw new TypeError(problem);
    return filtered(filter, guard);
  } catch (error) {
    exchange.restore(response);
    guard.note(error);
    return POLICY_FAILED;
  }
}

/** The error of a hook that returns what it may not. If that is a promise, nothing waits for it. */
function notWaitedFor(result: unknown, problem: string): TypeError {
  if (result instanceof Promise) result.catch(() => {});
  return new TypeError(problem);
}

const METHODS = ['data', 'end', 'flush', 'pause', 'resume', 'abort'] as const;

/** What a hook of messages returns. Throws if it is none of what it may be: the type holds for TypeScript only. */
function filtered(found: unknown, guard: FilterGuard): HookResult {
  if (found === undefined || found instanceof GatewayError) return found;
  const filter = found as BodyFilter | null;
  if (typeof filter !== 'object' || filter === null || METHODS.some((name) => typeof filter[name] !== 'function'))
    throw new TypeError('the hook returns a body filter or nothing');
  return new GuardedFilter(filter, guard);
}
