/**
 * Runs a policy that a module of the config exports. Hot after bind.
 *
 * The hooks of a module are code that the gateway does not know. So each is wrapped once, at bind: an error in a hook
 * ends its exchange with a 500 (`policy_failed`) and a line in the log, and nothing else.
 */
import type { BodyFilter } from '../http/body-filter.ts';
import { checkedReply, RequestBefore, ResponseBefore } from '../http/checked-edits.ts';
import type { Exchange } from '../http/exchange.ts';
import { guardedExchange } from '../http/guarded-exchange.ts';
import { type FilterGuard, GuardedFilter } from '../http/guarded-filter.ts';
import { GuardedContext } from '../http/guarded-interception.ts';
import { CachedReply } from '../http/cached-reply.ts';
import { INTERCEPTED, type Verdict } from '../http/interception.ts';
import { type LocalReply, problemReply } from '../http/local-reply.ts';
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
    bind: ({ config }, scope) =>
      guarded(policyIn(plan).bind(config, scopeFor(scope)), new Failures(plan.module, scope), scope),
  };
  if (loadedModule(plan.module, plan.digest) === null) return policy;
  const own = policyIn(plan);
  if (own.why !== undefined)
    policy.why = ({ config }, x) =>
      safely(
        () => String(own.why!(config, guardedOf(x)) as unknown),
        (problem) => `its explanation failed: ${problem}`,
      );
  if (own.preview !== undefined)
    policy.preview = ({ config }, x, scope) =>
      safely<PolicyPreview>(
        () => previewOf(own.preview!(config, guardedOf(x), scope)),
        (problem) => ({ verdict: 'asked', why: `its preview failed: ${problem}` }),
      );
  if (own.guards !== undefined)
    policy.guards = ({ config }) =>
      safely(
        () => Boolean(own.guards!(config) as unknown),
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

/** An error may be anything, and even to read it may throw. */
function textOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? error) : String(error);
  } catch {
    return 'an error that cannot be shown';
  }
}

/** The types of hooks name what is behind it: TypeScript has no type for all that the two have in common. */
function guardedOf(x: Exchange): Exchange {
  return guardedExchange(x) as unknown as Exchange;
}

function previewOf({ verdict, why }: PolicyPreview): PolicyPreview {
  if (!['answers', 'passes', 'asked'].includes(verdict)) throw new TypeError('it has no verdict');
  return { verdict, why: [why].join('') };
}

/** The scope for a module: objects of its own, so that it cannot change the gateway's. */
function scopeFor(own: BindScope): BindScope {
  const { route, clock, log } = own;
  const scope = {
    route,
    clock: {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (ms, due) => clock.after(ms, due),
      every: (ms, due) => clock.every(ms, due),
    },
    log: {
      info: (event, fields) => log.info(event, fields),
      warn: (event, fields) => log.warn(event, fields),
      error: (event, fields) => log.error(event, fields),
    },
    pool: (name) => own.pool(name),
  } satisfies Partial<BindScope>;
  // The rest is for the gateway's own policies.
  return scope as Partial<BindScope> as BindScope;
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

const HOOKS = ['request', 'forward', 'response', 'done', 'allows'] as const;

/** Wraps each hook there is. The types hold for TypeScript only. */
function guarded(hooks: Hooks, failures: Failures, { deadlines }: BindScope): Hooks {
  const found: unknown = hooks;
  if (found instanceof Promise) throw notWaitedFor(found, 'bind must not return a promise');
  if (typeof found !== 'object' || found === null) throw new TypeError('bind must return an object of hooks');
  const { request, forward, response, done, allows, intercepts, timeout } = hooks;
  const given = { request, forward, response, done, allows };
  for (const name of HOOKS)
    if (given[name] !== undefined && typeof given[name] !== 'function')
      throw new TypeError(`the hook ${name} is no function`);
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0))
    throw new TypeError('the timeout of the hooks is no number of milliseconds');
  const guards: Hooks = {};
  if (intercepts !== undefined) guards.intercepts = intercepts;
  if (timeout !== undefined) guards.timeout = timeout;
  const guardOf = (name: string): FilterGuard => ({
    deadlines,
    timeout: timeout ?? HOOK_TIMEOUT,
    note: (error) => failures.note(name, error),
  });
  if (request !== undefined) {
    const guard = guardOf('request');
    guards.request = (x, context) => {
      const own = new GuardedContext(context, guard);
      const before = new RequestBefore(x);
      const failed = (error: unknown): LocalReply => {
        GuardedContext.problemOf(own, false);
        guard.note(error);
        x.error = POLICY_FAILED.code;
        return FAILED;
      };
      const checked = (verdict: Verdict): Verdict => {
        const problem = before.check(false) || GuardedContext.problemOf(own, verdict === INTERCEPTED);
        if (problem !== '') return failed(new TypeError(problem));
        if (verdict === undefined || verdict === INTERCEPTED || verdict instanceof CachedReply) return verdict;
        const reply = checkedReply(verdict);
        return typeof reply === 'string' ? failed(new TypeError(reply)) : reply;
      };
      const awaited = async (promise: Promise<Verdict>): Promise<Verdict> => {
        try {
          return checked(await promise);
        } catch (error) {
          return failed(error);
        }
      };
      try {
        const verdict = request.call(hooks, guardedOf(x), own);
        return verdict instanceof Promise ? awaited(verdict) : checked(verdict);
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
      const failed = (error: unknown): void => failures.note('done', error);
      const awaited = async (promise: Promise<unknown>): Promise<void> => {
        try {
          await promise;
        } catch (error) {
          failed(error);
        }
      };
      try {
        const result: unknown = done.call(hooks, guardedOf(x));
        if (result instanceof Promise) void awaited(result);
      } catch (error) {
        failed(error);
      }
    };
  if (allows !== undefined)
    guards.allows = (x, clientAddress) => {
      try {
        // A promise would be a yes.
        const verdict: unknown = allows.call(hooks, guardedOf(x), clientAddress);
        if (typeof verdict !== 'boolean') throw notWaitedFor(verdict, 'allows returns true or false');
        return verdict;
      } catch (error) {
        failures.note('allows', error);
        return false;
      }
    };
  return guards;
}

/** Runs a hook that may edit a head and filter its body. `before`: the head as it was. */
function runEditing(
  hook: NonNullable<Hooks['forward' | 'response']>,
  hooks: Hooks,
  x: Exchange,
  before: RequestBefore | ResponseBefore,
  guard: FilterGuard,
): HookResult {
  try {
    const filter: unknown = hook.call(hooks, guardedOf(x));
    if (filter instanceof Promise) throw notWaitedFor(filter, 'only a request hook may return a promise');
    const problem = before.check(filter !== undefined);
    if (problem !== '') throw new TypeError(problem);
    return filtered(filter, guard);
  } catch (error) {
    guard.note(error);
    return POLICY_FAILED;
  }
}

/** The error of a hook that returns what it may not. If that is a promise, nothing waits for it. */
function notWaitedFor(result: unknown, problem: string): TypeError {
  if (result instanceof Promise) void Promise.prototype.catch.call(result, () => {});
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
