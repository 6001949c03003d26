/** Presents a plan that is not in effect as a subject of explain. Cold. */
import { systemClock } from '../kit/clock.ts';
import { loadSource, ModuleError } from '../kit/versioned-modules.ts';
import type { Plan } from '../plan/types.ts';
import type { Subject } from './explanation.ts';
import { plannedPool } from './pools.ts';
import { siteOf } from './site.ts';

export function plannedSubject(plan: Plan): Subject {
  loadModules(plan);
  return {
    generation: null,
    plan,
    overloaded: false,
    clock: systemClock,
    site: siteOf,
    portOf: ({ address }) => address.port,
    pool: plannedPool,
    claimed: () => null,
    shown: (value) => value,
  };
}

/** Another process may have compiled the plan. A module that can't be loaded here is not asked. */
function loadModules({ modules }: Plan): void {
  for (const source of modules) {
    try {
      loadSource(source);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
    }
  }
}
