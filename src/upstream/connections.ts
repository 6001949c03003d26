/**
 * The connections to one endpoint: idle ones kept for reuse, and new ones. Hot.
 *
 * The pool of idle connections is a stack: the most recently used is taken first, so surplus connections age and are
 * closed.
 */
import {
  CONNECT_FAILED,
  CONNECT_REFUSED,
  CONNECT_TIMEOUT,
  type GatewayError,
  OUT_OF_RESOURCES,
} from '../kit/errors.ts';
import { NOWHERE, Places } from '../kit/places.ts';
import { Http1ClientConnection } from '../http/h1/client.ts';
import { type Deadlines, limitOf, type Timed } from '../net/deadlines.ts';
import { dial, type Dialer, type Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { EndpointState, EndpointTuning } from './endpoint.ts';
import type { PoolLoad } from './load.ts';
import { HEALTHY } from './strategies/strategy.ts';

/** Milliseconds that a prewarmed connection must live before another replaces it. */
const SHORTEST_LIFE = 1000;

/** The receiver of a new connection. */
export interface TransportTaker {
  onTransport(transport: Transport): void;
  onConnectFailed(error: GatewayError): void;
}

export class EndpointConnections {
  readonly #address: AddressPlan;
  readonly #deadlines: Deadlines;
  readonly #endpoint: EndpointState;
  readonly #load: PoolLoad;
  #tuning: EndpointTuning;
  #idle: Http1ClientConnection[] = [];
  #open = 0;
  #dialing = 0;
  /** Dials that no exchange waits for. */
  #prewarming = new Places<Dialing>();
  #closed = false;

  constructor(address: AddressPlan, tuning: EndpointTuning, deadlines: Deadlines, endpoint: EndpointState) {
    this.#address = address;
    this.#tuning = tuning;
    this.#deadlines = deadlines;
    this.#endpoint = endpoint;
    this.#load = endpoint.load;
  }

  /** Open connections and dials in progress, idle ones included. */
  get open(): number {
    return this.#open;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Dials in progress. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Is there neither an idle connection nor room for a new one? */
  get full(): boolean {
    if (this.#idle.length > 0) return false;
    const most = this.#tuning.maxConnections;
    return (most > 0 && this.#open >= most) || (this.#load.connected && this.#load.idle === 0);
  }

  tune(tuning: EndpointTuning): void {
    this.#tuning = tuning;
    while (this.#idle.length > tuning.keepalive.connections) this.retireOldest();
    this.prewarm();
  }

  /** Dials the configured number of connections in advance. */
  prewarm(): void {
    const { keepalive, connectTimeout } = this.#tuning;
    if (keepalive.prewarm === 0) return;
    while (
      !this.#closed &&
      this.#endpoint.wanted &&
      this.#endpoint.health.tier() === HEALTHY &&
      this.#idle.length + this.#dialing < Math.min(keepalive.prewarm, keepalive.connections) &&
      !this.#load.connected &&
      (this.#tuning.maxConnections === 0 || this.#open < this.#tuning.maxConnections)
    ) {
      const dialing = this.connect(connectTimeout, {
        onTransport: (transport) => {
          this.#prewarming.leave(place);
          this.#endpoint.health.connected();
          this.onIdle(this.speakHttp1(transport));
        },
        onConnectFailed: (error) => {
          this.#prewarming.leave(place);
          this.#endpoint.connectFailed(error);
        },
      });
      // No dial completes within the call that begins it.
      const place = this.#prewarming.enter(dialing);
    }
  }

  /** Takes an idle connection, or returns null. */
  take(): Http1ClientConnection | null {
    const connection = this.#idle.pop();
    if (connection === undefined) return null;
    this.#load.idle--;
    connection.rules = this.#tuning.responses;
    this.#endpoint.metrics.connectionsReused++;
    if (this.#tuning.keepalive.prewarm > 0) this.prewarm();
    return connection;
  }

  /** Dials a new connection. It counts from now on; its owner calls `released` when it is over. */
  connect(timeout: number, taker: TransportTaker): Dialing {
    const most = this.#tuning.maxConnections;
    // Counted before idle connections close to make room for it, so that no other dial takes that room.
    this.#opened();
    this.#dialing++;
    if (most > 0 && this.#open > most) this.retireOldest();
    if (this.#load.crowded) {
      if (this.#idle.length > 0) this.retireOldest();
      else this.#load.makeRoom(this);
    }
    return new Attempt(
      this.#address,
      timeout,
      this.#deadlines,
      {
        onTransport: (transport) => {
          this.#dialing--;
          this.#endpoint.metrics.connectionsOpened++;
          taker.onTransport(transport);
        },
        onConnectFailed: (error) => {
          this.#dialing--;
          this.#gone();
          this.#endpoint.metrics.connectErrors++;
          taker.onConnectFailed(error);
          // A failed dial frees a slot, and its taker may hold nothing else whose end wakes the queue.
          this.#load.freed();
        },
      },
      () => {
        this.#dialing--;
        this.#gone();
      },
    );
  }

  /** Makes an HTTP/1.1 connection of a transport from `connect`. */
  speakHttp1(transport: Transport): Http1ClientConnection {
    return new Http1ClientConnection(transport, this, this.#deadlines, this.#tuning.responses);
  }

  /** A transport from `connect` that did not become an HTTP connection has closed. */
  released(): void {
    this.#gone();
  }

  #opened(): void {
    this.#open++;
    this.#load.connections++;
  }

  #gone(): void {
    this.#open--;
    this.#load.connections--;
  }

  retireOldest(): void {
    this.#idle[0]?.retire();
  }

  retireIdle(): void {
    // Each connection leaves the list as it closes.
    while (this.#idle.length > 0) this.retireOldest();
  }

  onIdle(connection: Http1ClientConnection): void {
    const { keepalive } = this.#tuning;
    const now = this.#deadlines.now;
    const old = keepalive.maxAge > 0 && now - connection.madeAt >= keepalive.maxAge;
    const unwanted = this.#closed || !this.#endpoint.wanted || this.#endpoint.health.adminState === 'disabled';
    if (unwanted || old || this.#idle.length >= keepalive.connections) {
      connection.retire();
      return;
    }
    connection.deadline = Math.min(now + limitOf(keepalive.idle), connection.keptUntil);
    if (keepalive.maxAge > 0) connection.deadline = Math.min(connection.deadline, connection.madeAt + keepalive.maxAge);
    this.#idle.push(connection);
    this.#load.idle++;
    this.#load.freed();
    if (keepalive.prewarm > 0) this.prewarm();
  }

  onGone(connection: Http1ClientConnection, idle: boolean): void {
    const index = idle ? this.#idle.lastIndexOf(connection) : -1;
    if (index >= 0) {
      this.#idle.splice(index, 1);
      this.#load.idle--;
    }
    this.#gone();
    this.#load.freed();
    // A server that closes new connections at once is not dialed again immediately: that would never end.
    const hungUp = idle && connection.uses === 0 && this.#deadlines.now - connection.madeAt < SHORTEST_LIFE;
    if (!hungUp) this.prewarm();
  }

  /** Closes the idle connections now, and the others when they become idle. */
  close(): void {
    this.#closed = true;
    const prewarming = [...this.#prewarming];
    this.#prewarming = new Places();
    for (const dialing of prewarming) dialing.cancel();
    this.retireIdle();
  }
}

/** Resources that this machine lacks, not the endpoint. */
const OWN_FAULTS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN']);

function errorOf(code: string): GatewayError {
  if (code === 'ECONNREFUSED') return CONNECT_REFUSED;
  if (code === 'ETIMEDOUT') return CONNECT_TIMEOUT;
  return OWN_FAULTS.has(code) ? OUT_OF_RESOURCES : CONNECT_FAILED;
}

/** One dial with a timeout. */
class Attempt implements Dialer, Dialing, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #taker: TransportTaker;
  readonly #cancelled: () => void;
  readonly #dialing: Dialing;
  #over = false;

  constructor(
    address: AddressPlan,
    timeout: number,
    deadlines: Deadlines,
    taker: TransportTaker,
    cancelled: () => void,
  ) {
    this.#deadlines = deadlines;
    this.#taker = taker;
    this.#cancelled = cancelled;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
    this.#dialing = dial(address, deadlines, this);
  }

  onConnected(transport: Transport): void {
    if (this.#finish()) this.#taker.onTransport(transport);
  }

  onDialFailed(code: string): void {
    if (!this.#finish()) return;
    this.#taker.onConnectFailed(errorOf(code).with(code));
  }

  onDeadline(): void {
    if (!this.#finish()) return;
    this.#dialing.cancel();
    this.#taker.onConnectFailed(CONNECT_TIMEOUT);
  }

  cancel(): void {
    if (!this.#finish()) return;
    this.#dialing.cancel();
    this.#cancelled();
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#deadlines.delete(this);
    return true;
  }
}
