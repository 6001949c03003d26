/** The strategies by type: a planned type that is missing from this table does not compile. Cold. */
import type { Random as RandomSource } from '../../kit/random.ts';
import type { StrategyPlan } from '../../plan/types/pool.ts';
import { IpHash } from './ip-hash.ts';
import { LeastConnections } from './least-connections.ts';
import { Maglev } from './maglev.ts';
import { P2c } from './p2c.ts';
import { Random } from './random.ts';
import { RingHash } from './ring-hash.ts';
import { RoundRobin } from './round-robin.ts';
import type { Candidate, Strategy } from './strategy.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

/** Sources of randomness: for the draws of a strategy, and for the starting point of one that takes turns. */
export interface Chances {
  readonly random: RandomSource;
  readonly firstTurns: RandomSource;
}

type Make<P> = (candidates: readonly Candidate[], plan: P, chances: Chances) => Strategy;

const strategies = {
  round_robin: (candidates, _, { firstTurns }) => new RoundRobin(candidates, firstTurns),
  weighted_round_robin: (candidates, _, { firstTurns }) => new WeightedRoundRobin(candidates, firstTurns),
  least_connections: (candidates, _, { firstTurns }) => new LeastConnections(candidates, firstTurns),
  random: (candidates, _, { random }) => new Random(candidates, random),
  ip_hash: (candidates) => new IpHash(candidates),
  p2c: (candidates, _, { random }) => new P2c(candidates, random),
  ring_hash: (candidates, { key, replicas }) => new RingHash(candidates, key, replicas),
  maglev: (candidates, { key, tableSize }) => new Maglev(candidates, key, tableSize),
} satisfies { [T in StrategyPlan['type']]: Make<Extract<StrategyPlan, { type: T }>> };

export function bindStrategy(plan: StrategyPlan, candidates: readonly Candidate[], chances: Chances): Strategy {
  // The table pairs each type with the strategy for its plan; the compiler can't follow this through a lookup.
  const make = strategies[plan.type] as Make<StrategyPlan>;
  return make(candidates, plan, chances);
}
