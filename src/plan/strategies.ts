/** Plans the strategies: normalizes names, checks numbers. Cold. */
import type { EndpointConfig, HashKey, StrategyConfig } from '../config/schema.gen.ts';
import type { PlanScope } from './scope.ts';
import type { HashKeyPlan, StrategyPlan } from './types/pool.ts';

/** `endpoints`: those of the pool. */
export function planStrategy(
  config: StrategyConfig,
  endpoints: readonly EndpointConfig[],
  pointer: string,
  scope: PlanScope,
): StrategyPlan {
  switch (config.type) {
    case 'ring_hash':
      return { type: config.type, key: planKey(config.key), replicas: config.replicas };
    case 'maglev': {
      const size = config.table_size;
      // Each endpoint steps through the whole table with its own stride; only a prime size lets every stride reach each
      // slot.
      if (!isPrime(size)) scope.problem(`${pointer}/table_size`, 'must be a prime number', `write ${primeFrom(size)}`);
      else if (size < endpoints.length)
        scope.problem(
          `${pointer}/table_size`,
          `is less than the pool's ${endpoints.length} endpoints: some would get nothing`,
        );
      return { type: config.type, key: planKey(config.key), tableSize: size };
    }
    case 'round_robin':
      // RFC 2782: the weights of SRV records apply. With equal weights, both strategies give the same rounds.
      return { type: endpoints.some(({ dns }) => dns?.type === 'srv') ? 'weighted_round_robin' : config.type };
    default:
      return { type: config.type };
  }
}

export function planKey({ source, header, cookie }: HashKey): HashKeyPlan {
  if (header !== undefined) return { source: 'header', name: header.toLowerCase() };
  if (cookie !== undefined) return { source: 'cookie', name: cookie };
  return { source: source ?? 'client', name: '' };
}

function isPrime(number: number): boolean {
  if (number < 4) return number > 1;
  if (number % 2 === 0) return false;
  for (let i = 3; i * i <= number; i += 2) if (number % i === 0) return false;
  return true;
}

function primeFrom(number: number): number {
  let prime = number;
  while (!isPrime(prime)) prime++;
  return prime;
}
