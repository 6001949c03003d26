/** How long what is left on an old generation may go on: the general rule, and who has one of its own. Cold. */
import type { DrainOverrideConfig } from '../config/schema.gen.ts';
import type { DrainOverridePlan } from './types/drain.ts';

/** null: as everything else. */
export function planDrain(config: DrainOverrideConfig | undefined): DrainOverridePlan | null {
  if (config === undefined) return null;
  const { deadline, action, spread } = config;
  return { deadline: deadline ?? null, action: action ?? null, spread: spread ?? null };
}
