/**
 * Probes unreachable endpoints in the background, so that no request has to be a trial. Cold.
 *
 * While an endpoint of a current pool is out because of failed traffic, this looks once in an interval: it dials each
 * unreachable endpoint, and a connection, with its TLS handshake if there is one, is proof enough (health.ts). It also
 * wakes waiters for a trial to end, since a trial that hangs permits another after some time. It stops when no endpoint
 * is out.
 */
import { isIP } from 'node:net';
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import { limitOf } from '../net/deadlines.ts';
import type { PoolPlan } from '../plan/types/pool.ts';
import type { EndpointState } from './endpoint.ts';
import type { PoolLoad } from './load.ts';
import { knock, type Probe } from './probe.ts';

/** Dials in progress at a time. If more endpoints are out, each waits for its turn. */
const MOST_AT_ONCE = 64;
/** The part by which an interval may be shorter, so that gateways do not all probe at the same moment. */
const JITTER = 0.1;
/** Milliseconds between two looks where no probes are made. */
const LOOK_EVERY = 1000;

interface Knocking {
  readonly probe: Probe;
  /** Monotonic ms until which it is not replaced by another dial. */
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
  /** Index of the endpoint to look at first. */
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
    // Where active checks are configured, they decide.
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

  /** Endpoints may have failed. */
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
    // Without a request there is no name to verify.
    const tls = state.connections.tls;
    const target = tls === null || tls.fromHost ? null : tls.own;
    // TCP retransmits a lost packet after longer and longer pauses: a new dial finds out sooner. A host name needs time
    // to resolve, and a handshake several round trips.
    const patience = target !== null || (path === null && isIP(host) === 0) ? this.#connectTimeout : 0;
    const probe = knock(state.address, target, (code) => {
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
