/** A plan that has come to somebody who has another: what is the same in both is the same object. */
import { handoverOf, lotsOf, marksOf } from '../../src/plan/handover.ts';
import { Unwrapping, wrapPlan } from '../../src/plan/parcel.ts';
import type { Plan } from '../../src/plan/types.ts';

/** Handed over to somebody who has `base`, by the way that a thread's answer takes. */
export function handedOver(plan: Plan, base: Plan): { readonly plan: Plan; readonly fresh: number } {
  const parcel = wrapPlan(plan);
  const handover = structuredClone(handoverOf(parcel, marksOf(parcel), marksOf(wrapPlan(base))));
  const unwrapping = new Unwrapping(handover.rest, base);
  for (const lot of lotsOf(handover.pools)) unwrapping.addPools(lot);
  for (const lot of lotsOf(handover.routes)) unwrapping.addRoutes(lot);
  const pieces = [...handover.pools, ...handover.routes];
  return { plan: unwrapping.plan(), fresh: pieces.filter((piece) => typeof piece !== 'number').length };
}
