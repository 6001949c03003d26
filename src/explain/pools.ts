/** A pool as one request finds it: its endpoints, how they stand, and which of them it would be sent to. Cold. */
import type { Exchange } from '../http/exchange.ts';
import { systemRandom } from '../kit/random.ts';
import type { PoolPlan, StrategyPlan } from '../plan/types.ts';
import { previewPool, type PoolPreview } from '../upstream/pool-preview.ts';
import type { Pool } from '../upstream/pool.ts';
import { Sticky } from '../upstream/sticky.ts';
import { bindStrategy } from '../upstream/strategies/index.ts';
import { type Candidate, DUE, HEALTHY } from '../upstream/strategies/strategy.ts';

export interface EndpointView {
  readonly endpoint: string;
  readonly weight: number;
  /** healthy, failing, open … as on /backends; `unknown`: nothing serves this config; `disabled`: it is switched off. */
  readonly state: string;
  /** Whether it may be asked now. `full`: it has as much as it may have. */
  readonly may: 'be asked' | 'be tried' | 'not be asked';
  readonly full: boolean;
  readonly active: number;
  readonly latency_ms: number;
  /** `next`: it would be this one. `possible`: one of these, by chance. */
  readonly choice: 'next' | 'possible' | 'no';
}

export interface PoolView {
  readonly pool: string;
  /** How likely the request is sent here, from 0 to 1. */
  readonly chance: number;
  readonly strategy: string;
  readonly why: string;
  readonly endpoints: readonly EndpointView[];
  /** So few are well that all are asked. */
  readonly panic: boolean;
  /** Requests that wait for room. */
  readonly queue: number;
  /** What takes its place if nobody can be had: a pool's name, or `answer` and a status; null: a 503. */
  readonly fallback: string | null;
}

/** By what a strategy that need not draw goes. */
const BY = {
  round_robin: 'next in turn',
  weighted_round_robin: 'next in turn, by weight',
  least_connections: 'least under way',
  random: 'drawn by chance',
  ip_hash: "by the client's address",
  p2c: 'the better of two that are drawn by chance',
  ring_hash: 'by its key',
  maglev: 'by its key',
} satisfies { [T in StrategyPlan['type']]: string };

/** Strategies that send the same request to the same endpoint, whatever came before. */
const KEYED: ReadonlySet<StrategyPlan['type']> = new Set<StrategyPlan['type']>(['ip_hash', 'ring_hash', 'maglev']);

function whyOf({ how, possible }: PoolPreview, strategy: StrategyPlan): string {
  if (how === 'kept') return 'kept by its cookie';
  if (how === 'full') return 'the pool has as many requests as it may have';
  if (how === 'nobody') return 'no endpoint may be asked';
  return possible.length === 1 ? 'the only one that may be asked' : BY[strategy.type];
}

function choiceOf(index: number, { index: next, possible }: PoolPreview): EndpointView['choice'] {
  if (index === next) return 'next';
  return next < 0 && possible.includes(index) ? 'possible' : 'no';
}

function fallbackOf({ fallback }: PoolPlan): string | null {
  if (fallback === null) return null;
  return fallback.type === 'pool' ? fallback.pool : `answer ${fallback.status}`;
}

/** Of a gateway that runs; nothing about it is changed. */
export function livePool(pool: Pool, chance: number, x: Exchange): PoolView {
  const { plan, load } = pool;
  const seen = pool.foresee(x);
  return {
    pool: plan.name,
    chance,
    strategy: plan.strategy.type,
    why: whyOf(seen, plan.strategy),
    endpoints: pool.endpoints.map((endpoint, i) => {
      const { state, weight } = endpoint;
      const tier = endpoint.tier();
      return {
        endpoint: state.address.text,
        weight,
        state: state.health.state,
        may: tier === HEALTHY ? 'be asked' : tier === DUE && pool.lastResort ? 'be tried' : 'not be asked',
        full: state.full,
        active: state.active,
        latency_ms: Math.round(state.latency * 100) / 100,
        choice: choiceOf(i, seen),
      };
    }),
    panic: pool.panic,
    queue: load.queue.length,
    fallback: fallbackOf(plan),
  };
}

/** One that is switched off. */
export function disabledEndpoint(endpoint: string): EndpointView {
  const nothing = { weight: 0, full: false, active: 0, latency_ms: 0 } as const;
  return { endpoint, state: 'disabled', may: 'not be asked', choice: 'no', ...nothing };
}

/** All are well and nothing is under way. */
function candidateOf({ name, weight }: Planned): Candidate {
  return { name, weight, share: weight, active: 0, latency: 0, tier: () => HEALTHY };
}

type Planned = Pick<Candidate, 'name' | 'weight'>;

/** What is found by a name is not known: the name stands for it. */
function plannedEndpoints({ endpoints, dns }: PoolPlan): Planned[] {
  const configured = endpoints.map(({ address, weight }) => ({ name: address.text, weight }));
  return dns === null ? configured : [...configured, ...dns.names];
}

interface Foreseen {
  readonly seen: PoolPreview;
  /** Indexes of those that it may be sent to, whatever came before it. */
  readonly may: readonly number[];
}

function foreseen(plan: PoolPlan, x: Exchange): Foreseen {
  const candidates = plannedEndpoints(plan).map(candidateOf);
  const strategy = bindStrategy(plan.strategy, candidates, { random: systemRandom, firstTurns: systemRandom });
  const kept = plan.sticky === null ? -1 : new Sticky(plan.sticky, plan.sticky.ids).find(x);
  const seen = previewPool([{ strategy, endpoints: candidates, from: 0 }], kept, x);
  const certain = seen.how === 'kept' || KEYED.has(plan.strategy.type);
  return { seen, may: certain ? [seen.index] : seen.possible };
}

/** Of a config that nobody serves: all endpoints are taken for well, and whose turn it is can't be said. */
export function plannedPool(plan: PoolPlan, chance: number, x: Exchange): PoolView {
  const { seen, may } = foreseen(plan, x);
  return {
    pool: plan.name,
    chance,
    strategy: plan.strategy.type,
    why: whyOf(seen, plan.strategy),
    endpoints: plannedEndpoints(plan).map(({ name, weight }, i) => ({
      endpoint: name,
      weight,
      state: 'unknown',
      may: 'be asked',
      full: false,
      active: 0,
      latency_ms: 0,
      choice: may.includes(i) ? (may.length === 1 ? 'next' : 'possible') : 'no',
    })),
    panic: false,
    queue: 0,
    fallback: fallbackOf(plan),
  };
}

/** Addresses of the endpoints that a request may be sent to while all are well. */
export function possibleEndpoints(plan: PoolPlan, x: Exchange): string[] {
  return foreseen(plan, x).may.flatMap((i) => plannedEndpoints(plan)[i]?.name ?? []);
}
