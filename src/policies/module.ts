/**
 * Runs a policy that a module of the config exports. Hot after bind.
 *
 * The hooks of a module are code that the gateway does not know. So each is wrapped once, at bind: an error in a hook
 * ends its exchange with a 500 (`policy_failed`) and a line in the log, and nothing else.
 */
import type { Exchange } from '../http/exchange.ts';
import { problemReply } from '../http/local-reply.ts';
import { POLICY_FAILED } from '../kit/errors.ts';
import { loadedModule } from '../kit/versioned-modules.ts';
import type { ModulePolicyPlan } from '../plan/types/module.ts';
import type { BindScope, Hooks, Policy, PolicyPreview } from './policy.ts';

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
    bind: ({ config }, scope) => guarded(policyIn(plan).bind(config, scope), new Failures(plan.module, scope)),
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
function guarded(hooks: Hooks, failures: Failures): Hooks {
  // The type holds for TypeScript only.
  if (typeof hooks !== 'object' || hooks === null) throw new TypeError('bind must return an object of hooks');
  const { request, forward, response, done, allows } = hooks;
  const failed = (x: Exchange, hook: string, error: unknown): typeof FAILED => {
    failures.note(hook, error);
    x.error = POLICY_FAILED.code;
    return FAILED;
  };
  const guards: Hooks = {};
  if (request !== undefined)
    guards.request = (x, context) => {
      try {
        const verdict = request.call(hooks, x, context);
        if (!(verdict instanceof Promise)) return verdict;
        return verdict.catch((error: unknown) => failed(x, 'request', error));
      } catch (error) {
        return failed(x, 'request', error);
      }
    };
  if (forward !== undefined)
    guards.forward = (x) => {
      try {
        forward.call(hooks, x);
      } catch (error) {
        failed(x, 'forward', error);
      }
    };
  if (response !== undefined)
    guards.response = (x) => {
      try {
        response.call(hooks, x);
      } catch (error) {
        failed(x, 'response', error);
      }
    };
  if (done !== undefined)
    guards.done = (x) => {
      try {
        done.call(hooks, x);
      } catch (error) {
        failures.note('done', error);
      }
    };
  if (allows !== undefined)
    guards.allows = (x, clientAddress) => {
      try {
        return allows.call(hooks, x, clientAddress);
      } catch (error) {
        failures.note('allows', error);
        return false;
      }
    };
  return guards;
}
