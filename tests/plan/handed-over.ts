/** A plan that has come to somebody who has another: what is the same in both is the same object. */
import { planDelta, lotsOf, fingerprintsOf } from '../../src/plan/plan-delta.ts';
import { PlanDeserializer, serializePlan } from '../../src/plan/serialized-plan.ts';
import type { Plan } from '../../src/plan/types.ts';

/** Handed over to somebody who has `base`, by the way that a thread's answer takes. */
export function handedOver(plan: Plan, base: Plan): { readonly plan: Plan; readonly fresh: number } {
  const serialized = serializePlan(plan);
  const handover = structuredClone(
    planDelta(serialized, fingerprintsOf(serialized), fingerprintsOf(serializePlan(base))),
  );
  const unwrapping = new PlanDeserializer(handover.rest, base);
  for (const lot of lotsOf(handover.certificates)) unwrapping.addCertificates(lot);
  for (const lot of lotsOf(handover.pools)) unwrapping.addPools(lot);
  for (const lot of lotsOf(handover.routes)) unwrapping.addRoutes(lot);
  const pieces = [...handover.certificates, ...handover.pools, ...handover.routes];
  return { plan: unwrapping.plan(), fresh: pieces.filter((piece) => typeof piece !== 'number').length };
}
