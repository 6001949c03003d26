/** Presents a running gateway, or one of its generations, as a subject of explain. Cold. */
import { type Explanation, explain, type Subject, type Unclear } from '../../explain/explanation.ts';
import { plannedSubject } from '../../explain/planned.ts';
import { livePool } from '../../explain/pools.ts';
import type { AskedRequest } from '../../explain/request.ts';
import { siteOf } from '../../explain/site.ts';
import type { Plan } from '../../plan/types.ts';
import { HttpListener } from '../../proxy/http-listener.ts';
import type { Gateway } from '../gateway.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** Values that a policy writes into a request are hidden: they may be secrets, which only the config loader knows. */
const HIDDEN = '…';

/** `generation`: null for the current one. Returns null if that generation is not live. */
export async function explainLive(
  gateway: Gateway,
  asked: AskedRequest,
  listener: string | null,
  generation: number | null,
  all: boolean,
): Promise<Explanation | Unclear | null> {
  const snapshot =
    generation === null ? gateway.current : gateway.snapshots.find((one) => one.generation === generation);
  if (snapshot === null || snapshot === undefined) return null;
  return explain(subjectOf(gateway, snapshot), asked, listener, all);
}

/** Explains a plan that is not in effect, as the gateway would serve it. */
export function explainPast(
  { clock }: Gateway,
  plan: Plan,
  asked: AskedRequest,
  listener: string | null,
  all: boolean,
): Promise<Explanation | Unclear> {
  return explain({ ...plannedSubject(plan), clock, shown: () => HIDDEN }, asked, listener, all);
}

function subjectOf(gateway: Gateway, snapshot: Snapshot): Subject {
  return {
    generation: snapshot.generation,
    plan: snapshot.plan,
    overloaded: gateway.state === 'overloaded',
    clock: gateway.clock,
    site: (plan) => {
      const listener = snapshot.listeners.get(plan.name);
      return listener instanceof HttpListener ? listener : siteOf(plan);
    },
    portOf: ({ name, address }) => gateway.addressOf(name)?.port ?? address.port,
    pool: (plan, chance, x) => livePool(snapshot.pools.get(plan.name)!.value, chance, x),
    claimed: (claim) => gateway.registry.peek(claim) ?? null,
    shown: () => HIDDEN,
  };
}
