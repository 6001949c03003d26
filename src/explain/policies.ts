/**
 * Evaluates a route's policies for a request: runs their own hooks on it, in order. Cold.
 *
 * A policy with state (one without `why`) is skipped: running it would count the request, lock a client out or fill a
 * store. Some of these policies can preview their action.
 */
import type { Exchange } from '../http/exchange.ts';
import type { PoolHandle } from '../http/pool-request.ts';
import type { FilterContext } from '../http/interception.ts';
import { LocalReply } from '../http/local-reply.ts';
import { checkPoolOfPolicy, poolsOfPolicy } from '../plan/policy-pools.ts';
import type { PolicyPlan } from '../plan/types.ts';
import { BODY_TOO_LARGE } from '../kit/errors.ts';
import { policyOf } from '../policies/index.ts';
import { systemClock } from '../kit/clock.ts';
import { Deadlines } from '../net/deadlines.ts';
import { errorReply } from '../proxy/local-replies.ts';
import type { BindScope, Hooks, Policy, PreviewScope } from '../policies/policy.ts';

export interface Edit {
  readonly what: 'set' | 'remove' | 'path';
  /** The name of a field, in lower case; '' for the path. */
  readonly name: string;
  readonly value: string;
}

export interface PolicyView {
  readonly type: string;
  /**
   * `denies`: it refuses the request, and later policies don't run. `answers`: the same, but its reply is no refusal, or
   * comes from its current state, which may soon change. `unasked`: it has state. `unreached`: an earlier policy
   * replies. `disabled`: it is switched off.
   */
  readonly verdict: 'passes' | 'denies' | 'answers' | 'unasked' | 'unreached' | 'disabled';
  readonly why: string;
  /** The changes it makes to the forwarded request. */
  readonly edits: readonly Edit[];
  /** The pools that it may send requests of its own to; absent: it sends none. */
  readonly pools?: readonly string[];
}

export interface RequestPhase {
  readonly views: readonly PolicyView[];
  /** The reply of a policy; null: none replies. */
  readonly answer: LocalReply | null;
  /** The policy's type, or ''. */
  readonly by: string;
}

/** Binding may be expensive (a list of networks), and a config's tests run the same policies a thousand times. */
const bound = new WeakMap<PolicyPlan, Hooks | null>();

/** Only policies without state are bound here. */
const NOWHERE: Omit<BindScope, 'pool'> = {
  route: '',
  clock: systemClock,
  deadlines: new Deadlines(systemClock),
  log: { info: () => {}, warn: () => {}, error: () => {} },
  claimed: ({ kind, name }) => {
    throw new Error(`${kind} ${name} is not to be asked`);
  },
};

const NEVER = new AbortController().signal;

/** Policies that intercept have state and are not called. */
function contextOf(x: Exchange): FilterContext {
  return {
    signal: NEVER,
    upgrade: false,
    // Nothing is sent: the hook never decides.
    send: () => new Promise(() => {}),
    bufferBody: (limit) => (x.bodyLength > limit ? errorReply(x, BODY_TOO_LARGE) : undefined),
    intercept: () => {
      throw new Error('nothing is to be intercepted');
    },
  };
}

/** The hooks of a policy that can be asked; null: it has state, or its module cannot be bound here. */
function hooksOf(plan: PolicyPlan): Hooks | null {
  const policy = policyOf(plan);
  if (policy.why === undefined) return null;
  let hooks = bound.get(plan);
  if (hooks === undefined) bound.set(plan, (hooks = bindHere(policy, plan)));
  return hooks;
}

function bindHere(policy: Policy<PolicyPlan>, plan: PolicyPlan): Hooks | null {
  try {
    const pool = (name: string): PoolHandle => {
      checkPoolOfPolicy(plan, name);
      return { name };
    };
    return policy.bind(plan, { ...NOWHERE, pool });
  } catch (error) {
    // Only the code of a module may throw; binding it for traffic reports the error.
    if (plan.type === 'module') return null;
    throw error;
  }
}

/**
 * Runs the request hooks in order, until one replies. `told`: also record reasons and edits. `scope`: for policies that
 * can only preview their action; null: these are skipped.
 */
export function runRequestHooks(
  plans: readonly PolicyPlan[],
  x: Exchange,
  told: boolean,
  scope: PreviewScope | null,
): RequestPhase {
  let answer: LocalReply | null = null;
  let by = '';
  const viewOf = (plan: PolicyPlan): PolicyView => {
    const { type } = plan;
    if (answer !== null) return { type, verdict: 'unreached', why: '', edits: [] };
    const hooks = hooksOf(plan);
    if (hooks === null) return foreseen(plan, x, scope);
    const before = told ? fieldsOf(x) : NOTHING;
    const { path } = x;
    const verdict = hooks.request?.(x, contextOf(x));
    // Only a hook that waits for another service returns a promise, and such a policy has state.
    if (verdict instanceof Promise) return { type, verdict: 'unasked', why: 'it waits for an answer', edits: [] };
    if (verdict !== undefined && !(verdict instanceof LocalReply))
      return { type, verdict: 'unasked', why: 'it intercepts', edits: [] };
    if (verdict !== undefined) {
      answer = verdict;
      by = type;
    }
    const word = verdict === undefined ? 'passes' : isRefusal(verdict.status) ? 'denies' : 'answers';
    if (!told) return { type, verdict: word, why: '', edits: [] };
    return { type, verdict: word, why: policyOf(plan).why!(plan, x), edits: editsOf(before, path, x) };
  };
  const views = plans.map((plan): PolicyView => {
    const pools = poolsOfPolicy(plan);
    return pools.length === 0 ? viewOf(plan) : { ...viewOf(plan), pools };
  });
  return { views, answer, by };
}

/** Does a policy's reply with this status keep the client out? A redirect may lead to a login. */
export function isRefusal(status: number): boolean {
  return status >= 300;
}

function foreseen(plan: PolicyPlan, x: Exchange, scope: PreviewScope | null): PolicyView {
  const { type } = plan;
  const policy = policyOf(plan);
  const seen = scope === null ? undefined : policy.preview?.(plan, x, scope);
  if (seen === undefined) {
    const why = policy.why === undefined ? 'it has state' : 'it cannot be bound';
    return { type, verdict: 'unasked', why, edits: [] };
  }
  return { type, verdict: seen.verdict === 'asked' ? 'unasked' : seen.verdict, why: seen.why, edits: [] };
}

/** Runs the forward hooks in order: returns `views` with the edits of the hooks. */
export function runForwardHooks(
  plans: readonly PolicyPlan[],
  views: readonly PolicyView[],
  x: Exchange,
  told: boolean,
): PolicyView[] {
  return views.map((view, i) => {
    const plan = plans[i]!;
    const hooks = hooksOf(plan);
    if (hooks === null) return view;
    const before = told ? fieldsOf(x) : NOTHING;
    const { path } = x;
    hooks.forward?.(x);
    if (!told) return view;
    return { ...view, edits: [...view.edits, ...editsOf(before, path, x)] };
  });
}

/** Applies every edit that the policies make to a passing request, without checking whether they would let it pass. */
export function editAll(plans: readonly PolicyPlan[], x: Exchange): void {
  const asked = plans.flatMap((plan) => hooksOf(plan) ?? []);
  for (const hooks of asked) void hooks.request?.(x, contextOf(x));
  for (const hooks of asked) hooks.forward?.(x);
}

type Values = ReadonlyMap<string, string>;
const NOTHING: Values = new Map();

/** Values by lower-case name; repeated fields are joined. */
function fieldsOf({ fields }: Exchange): Values {
  const values = new Map<string, string>();
  fields.forEach((name, value) => {
    const key = name.toLowerCase();
    const other = values.get(key);
    values.set(key, other === undefined ? value : `${other}, ${value}`);
  });
  return values;
}

function editsOf(before: Values, path: string, x: Exchange): Edit[] {
  const after = fieldsOf(x);
  const edits: Edit[] = [];
  for (const name of before.keys()) if (!after.has(name)) edits.push({ what: 'remove', name, value: '' });
  for (const [name, value] of after) if (before.get(name) !== value) edits.push({ what: 'set', name, value });
  if (x.path !== path) edits.push({ what: 'path', name: '', value: x.path });
  return edits;
}
