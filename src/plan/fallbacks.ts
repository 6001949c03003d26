/** Checks that pools fall back on existing pools, in chains that end. Cold. */
import type { PoolConfig } from '../config/schema.gen.ts';
import { planRespond } from './respond.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import type { FallbackPlan } from './types/traffic.ts';

/** The most pools in a chain: a request that reaches the last has waited at two before it. */
const LONGEST = 3;

type Pools = Readonly<Record<string, Pick<PoolConfig, 'fallback'>>>;

export function planFallback(
  { fallback }: Pick<PoolConfig, 'fallback'>,
  pointer: string,
  scope: PlanScope,
): FallbackPlan | null {
  if (fallback?.respond !== undefined) return planRespond(fallback.respond, `${pointer}/respond`, scope);
  return fallback?.pool === undefined ? null : { type: 'pool', pool: fallback.pool };
}

/** Reports fallbacks on missing pools, cycles (each once), and chains that are too long. */
export function checkFallbacks(pools: Pools, scope: PlanScope): void {
  const known = new Map(Object.entries(pools));
  const circled = new Set<string>();
  for (const [name, { fallback }] of known) {
    if (fallback?.pool === undefined) continue;
    const pointer = `/pools/${segment(name)}/fallback/pool`;
    if (scope.find(known, 'pool', fallback.pool, pointer) === null) continue;
    const chain = chainFrom(name, known);
    const last = chain.at(-1)!;
    // The last name occurs twice: the cycle begins at its first position. A chain that only leads into a cycle is not
    // reported.
    const at = chain.indexOf(last);
    if (at < chain.length - 1) {
      if (at > 0 || circled.has(name)) continue;
      scope.problem(pointer, `goes round in a circle: ${chain.join(', ')}`);
      for (const one of chain) circled.add(one);
    } else if (chain.length > LONGEST)
      scope.problem(pointer, `makes a chain of more than ${LONGEST} pools: ${chain.join(', ')}`);
  }
}

/** The pools in the order in which they are tried; in a cycle, the last repeats an earlier one. */
function chainFrom(name: string, pools: ReadonlyMap<string, Pick<PoolConfig, 'fallback'>>): string[] {
  const chain = [name];
  for (;;) {
    const next = pools.get(chain.at(-1)!)?.fallback?.pool;
    if (next === undefined || !pools.has(next)) return chain;
    chain.push(next);
    if (chain.indexOf(next) < chain.length - 1) return chain;
  }
}
