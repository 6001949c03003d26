/** The strategies by their names in the config: leaving one out does not compile. Cold. */
import type { Random as RandomSource } from '../../kit/random.ts';
import type { StrategyName } from '../../plan/types.ts';
import { LeastConnections } from './least-connections.ts';
import { Random } from './random.ts';
import { RoundRobin } from './round-robin.ts';
import type { Candidate, Strategy } from './strategy.ts';
import { WeightedRoundRobin } from './weighted-round-robin.ts';

type Make = (candidates: readonly Candidate[], random: RandomSource) => Strategy;

export const strategies = {
  round_robin: (candidates) => new RoundRobin(candidates),
  weighted_round_robin: (candidates) => new WeightedRoundRobin(candidates),
  least_connections: (candidates) => new LeastConnections(candidates),
  random: (candidates, random) => new Random(candidates, random),
} satisfies Record<StrategyName, Make>;
