/** Plans how long leases of an old generation may go on: the general rule, and overrides of it. Cold. */
import type { DrainOverrideConfig } from '../config/schema.gen.ts';
import type { DrainOverridePlan } from './types/drain.ts';

/** Returns null if the general rule applies. */
export function planDrain(config: DrainOverrideConfig | undefined): DrainOverridePlan | null {
  if (config === undefined) return null;
  const { deadline, action, spread } = config;
  return { deadline: deadline ?? null, action: action ?? null, spread: spread ?? null };
}
