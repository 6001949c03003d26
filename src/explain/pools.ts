/**
 * A pool as one request would find it: its endpoints, their states, and those that the request may be sent to. Cold.
 */
import { systemRandom } from '../kit/random.ts';
import type { PoolPlan, StrategyPlan } from '../plan/types/pool.ts';
import { previewPool, type PoolPreview } from '../upstream/pool-preview.ts';
import type { Pool } from '../upstream/pool.ts';
import { Sticky } from '../upstream/sticky.ts';
import { bindStrategy } from '../upstream/strategies/index.ts';
import { type Candidate, DUE, HEALTHY, type LoadBalancerContext } from '../upstream/strategies/strategy.ts';

export interface EndpointView {
  readonly endpoint: string;
  readonly weight: number;
  /**
   * healthy, failing, open … as on /backends; `unknown`: the config is not in effect; `disabled`: it is switched off.
   */
  readonly state: string;
  /** Whether it may receive requests now. `full`: it is at its limit. */
  readonly may: 'be asked' | 'be tried' | 'not be asked';
  readonly full: boolean;
  readonly active: number;
  readonly latency_ms: number;
  /** `next`: it would be chosen. `possible`: it may be chosen at random. */
  readonly choice: 'next' | 'possible' | 'no';
}

export interface PoolView {
  readonly pool: string;
  /** The probability that the request is sent to this pool, from 0 to 1. */
  readonly chance: number;
  readonly strategy: string;
  readonly why: string;
  readonly endpoints: readonly EndpointView[];
  /** Too few endpoints are healthy, so all are used. */
  readonly panic: boolean;
  /**
   * The TLS of connections to the endpoints; null: they have none. `server_name`: as in the config; '': each
   * endpoint's own.
   */
  readonly tls: { readonly server_name: string; readonly verify: boolean } | null;
  /** Requests that are queued for capacity. */
  readonly queue: number;
  /** The fallback if no endpoint is available: a pool's name, or `answer` and a status; null: a 503. */
  readonly fallback: string | null;
}

/** The criterion of each strategy when it makes no random choice. */
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

/** Strategies that send the same request to the same endpoint, regardless of earlier requests. */
const KEYED: ReadonlySet<StrategyPlan['type']> = new Set<StrategyPlan['type']>(['ip_hash', 'ring_hash', 'maglev']);

function whyOf({ how, possible }: PoolPreview, strategy: StrategyPlan): string {
  if (how === 'kept') return 'kept by its cookie';
  if (how === 'full') return 'the pool has as many requests as it may have';
  if (how === 'none') return 'no endpoint may be asked';
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

function tlsOf({ tls }: PoolPlan): PoolView['tls'] {
  return tls === null ? null : { server_name: tls.serverName ?? '', verify: tls.verify };
}

/** The view of a running gateway's pool; has no side effects. */
export function livePool(pool: Pool, chance: number, x: LoadBalancerContext): PoolView {
  const { plan, load } = pool;
  const seen = pool.preview(x);
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
    tls: tlsOf(plan),
    queue: load.queue.length,
    fallback: fallbackOf(plan),
  };
}

/** A disabled endpoint. */
export function disabledEndpoint(endpoint: string): EndpointView {
  const nothing = { weight: 0, full: false, active: 0, latency_ms: 0 } as const;
  return { endpoint, state: 'disabled', may: 'not be asked', choice: 'no', ...nothing };
}

/** Assumes that every endpoint is healthy and idle. */
function candidateOf({ name, weight }: Planned): Candidate {
  return { name, weight, share: weight, active: 0, latency: 0, tier: () => HEALTHY };
}

type Planned = Pick<Candidate, 'name' | 'weight'>;

/** The addresses behind a DNS name are unknown: the name represents them. */
function plannedEndpoints({ endpoints, dns }: PoolPlan): Planned[] {
  const configured = endpoints.map(({ address, weight }) => ({ name: address.text, weight }));
  return dns === null ? configured : [...configured, ...dns.names];
}

interface Preview {
  readonly seen: PoolPreview;
  /** The indexes of the endpoints that it may be sent to, regardless of earlier requests. */
  readonly may: readonly number[];
}

function previewOf(plan: PoolPlan, x: LoadBalancerContext): Preview {
  const candidates = plannedEndpoints(plan).map(candidateOf);
  const strategy = bindStrategy(plan.strategy, candidates, { random: systemRandom, firstTurns: systemRandom });
  const kept = plan.sticky === null ? -1 : new Sticky(plan.sticky, plan.sticky.ids).find(x);
  const seen = previewPool([{ strategy, endpoints: candidates, from: 0 }], kept, x);
  const certain = seen.how === 'kept' || KEYED.has(plan.strategy.type);
  return { seen, may: certain ? [seen.index] : seen.possible };
}

/**
 * The view of a pool whose config is not in effect: all endpoints count as healthy, and the next in turn is unknown.
 */
export function plannedPool(plan: PoolPlan, chance: number, x: LoadBalancerContext): PoolView {
  const { seen, may } = previewOf(plan, x);
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
    tls: tlsOf(plan),
    queue: 0,
    fallback: fallbackOf(plan),
  };
}

/** The addresses of the endpoints that a request may be sent to while all are healthy. */
export function possibleEndpoints(plan: PoolPlan, x: LoadBalancerContext): string[] {
  return previewOf(plan, x).may.flatMap((i) => plannedEndpoints(plan)[i]?.name ?? []);
}
