/** Presents a plan that is not in effect as a subject of explain. Cold. */
import { systemClock } from '../kit/clock.ts';
import type { Plan } from '../plan/types.ts';
import type { Subject } from './explanation.ts';
import { plannedPool } from './pools.ts';
import { siteOf } from './site.ts';

export function plannedSubject(plan: Plan): Subject {
  return {
    generation: null,
    plan,
    overloaded: false,
    clock: systemClock,
    site: siteOf,
    portOf: ({ address }) => address.port,
    pool: plannedPool,
    cache: () => null,
    shown: (value) => value,
  };
}
