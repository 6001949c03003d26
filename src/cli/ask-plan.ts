/** Gets a plan from a running gateway: the current one, or one of its history. Cold. */
import type { LiveNumbers } from '../plan/diff/live.ts';
import { type SerializedPlan, PlanDeserializer } from '../plan/serialized-plan.ts';
import type { Plan } from '../plan/types.ts';
import { SHOWN_PLAN } from '../runtime/views/redacted-plan.ts';
import { ask } from './ask.ts';

/** The body of the admin pages `/plan` and `/history/N/plan`. */
interface ShownPlan {
  readonly version: number;
  /** null if the plan is not in effect. */
  readonly generation: number | null;
  readonly folder: string;
  readonly salt: string;
  /** null if the plan is not in effect. */
  readonly live: LiveNumbers | null;
  readonly plan: SerializedPlan;
}

export interface AskedPlan extends Omit<ShownPlan, 'plan' | 'version'> {
  readonly plan: Plan;
}

/** Returns an error text on failure; '' if the error has already been printed. */
export async function askPlan(admin: string, page: string): Promise<AskedPlan | string> {
  const answer = await ask(admin, page);
  if (answer === null) return '';
  const { detail } = (answer.body ?? {}) as { detail?: string };
  if (answer.status !== 200) return `${admin} does not tell its plan: ${detail ?? answer.status}`;
  // The admin page defines this form; tests keep the two in step.
  const shown = answer.body as ShownPlan;
  if (shown.version !== SHOWN_PLAN) return `${admin} is a gateway of another version, whose plan cannot be compared`;
  const unwrapping = new PlanDeserializer(shown.plan.rest);
  unwrapping.addCertificates(shown.plan.certificates);
  unwrapping.addPools(shown.plan.pools);
  unwrapping.addRoutes(shown.plan.routes);
  return { ...shown, plan: unwrapping.plan() };
}
