/**
 * Finds out that endpoints which could not be connected to are back, without a request for each try. Cold.
 *
 * While an endpoint of a current pool is out because of what the traffic showed, this looks once in an interval: it begins
 * a TCP connection to each that could not be connected to, and one that is made is proof enough (health.ts). It lets in those
 * who wait for a try to end, too, since a try that hangs makes room for another as time goes by. It stops when nothing is out.
 */
import { isIP } from 'node:net';
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import { limitOf } from '../net/deadlines.ts';
import type { PoolPlan } from '../plan/types.ts';
import type { EndpointState } from './endpoint.ts';
import type { PoolLoad } from './load.ts';
import { knock, type Probe } from './probe.ts';

/** Connections that are begun at a time. With more endpoints that are out, each waits for its turn. */
const MOST_AT_ONCE = 64;
/** Part of an interval by which it may be shorter, so that not all gateways knock at the same moment. */
const JITTER = 0.1;
/** Milliseconds between two looks where no connections are tried. */
const LOOK_EVERY = 1000;

interface Knocking {
  readonly probe: Probe;
  /** Monotonic ms until which it is not given up for another. */
  readonly until: number;
}

export class Recovery {
  readonly #endpoints: () => readonly { readonly state: EndpointState }[];
  readonly #load: PoolLoad;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Milliseconds. */
  readonly #interval: number;
  readonly #connectTimeout: number;
  readonly #knocks: boolean;
  readonly #under: Map<EndpointState, Knocking> = new Map();
  #timer: Timer | null = null;
  #running = false;
  /** Index of the endpoint that is looked at first. */
  #next = 0;

  constructor(
    { health, timeouts }: PoolPlan,
    endpoints: () => readonly { readonly state: EndpointState }[],
    parts: { readonly load: PoolLoad; readonly clock: Clock; readonly random: Random },
  ) {
    const { probe } = health.backoff;
    this.#endpoints = endpoints;
    this.#load = parts.load;
    this.#clock = parts.clock;
    this.#random = parts.random;
    // Where active checks ask, theirs is the word.
    this.#knocks = probe > 0 && health.active === null;
    this.#interval = this.#knocks ? probe : LOOK_EVERY;
    this.#connectTimeout = limitOf(timeouts.connect);
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#load.suspecting.add(this.suspected);
    this.suspected();
  }

  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#load.suspecting.delete(this.suspected);
    this.#timer?.cancel();
    this.#timer = null;
    for (const { probe } of this.#under.values()) probe.cancel();
    this.#under.clear();
  }

  /** Endpoints may be out that were not before. */
  readonly suspected = (): void => {
    if (!this.#running || this.#timer !== null) return;
    this.#timer = this.#clock.after(this.#interval * (1 - JITTER * this.#random()), () => this.#look());
  };

  #look(): void {
    this.#timer = null;
    this.#giveUpOld();
    const endpoints = this.#endpoints();
    const count = endpoints.length;
    let out = false;
    for (let i = 0; i < count; i++) {
      const place = (this.#next + i) % count;
      const { state } = endpoints[place]!;
      if (!state.health.failing) continue;
      out = true;
      if (!this.#knocks || !state.health.unreachable || this.#under.has(state)) continue;
      if (this.#under.size === MOST_AT_ONCE) {
        this.#next = place;
        break;
      }
      this.#knock(state);
    }
    if (!out) return;
    this.suspected();
    this.#load.freed();
  }

  #knock(state: EndpointState): void {
    const { host, path } = state.address;
    // A packet that got lost is sent again later and later: a new connection finds out sooner. A name that is being looked up takes its time.
    const patience = path === null && isIP(host) === 0 ? this.#connectTimeout : 0;
    const probe = knock(state.address, (code) => {
      this.#under.delete(state);
      if (code === '') state.health.connected();
    });
    this.#under.set(state, { probe, until: this.#clock.now() + patience });
  }

  #giveUpOld(): void {
    const now = this.#clock.now();
    for (const [state, { probe, until }] of this.#under) {
      if (now < until && state.health.unreachable) continue;
      probe.cancel();
      this.#under.delete(state);
    }
  }
}
