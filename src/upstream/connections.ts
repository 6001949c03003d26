/**
 * The connections to one endpoint, and the streams on them. Hot.
 *
 * The connections that have room for another stream are a stack: the most recently used is taken first, so surplus
 * connections age and are closed. A connection with a codec that carries one stream at a time is in it while idle.
 */
import {
  CONNECT_FAILED,
  CONNECT_REFUSED,
  CONNECT_TIMEOUT,
  type GatewayError,
  OUT_OF_RESOURCES,
} from '../kit/errors.ts';
import { NOWHERE, Places } from '../kit/places.ts';
import { DEFAULT_CLIENT_CODEC } from '../http/client-codecs.ts';
import type { ClientConnection, ClientConnectionOwner, ClientStream } from '../http/client-stream.ts';
import { type Deadlines, limitOf, type Timed } from '../net/deadlines.ts';
import { dial, type Dialer, type Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { EndpointState, EndpointTuning } from './endpoint.ts';
import type { PoolLoad } from './load.ts';
import { HEALTHY } from './strategies/strategy.ts';

/** Milliseconds that a prewarmed connection must live before another replaces it. */
const SHORTEST_LIFE = 1000;

/** The receiver of a stream. */
export interface StreamTaker {
  /** `reused`: its connection has carried requests before, or was dialed in advance. */
  onStream(stream: ClientStream, reused: boolean): void;
  onConnectFailed(error: GatewayError): void;
}

/** The receiver of a new connection that speaks no protocol yet. */
export interface TransportTaker {
  onTransport(transport: Transport): void;
  onConnectFailed(error: GatewayError): void;
}

export class EndpointConnections implements ClientConnectionOwner {
  readonly #address: AddressPlan;
  readonly #deadlines: Deadlines;
  readonly #endpoint: EndpointState;
  readonly #load: PoolLoad;
  #tuning: EndpointTuning;
  /** Connections that have room for a stream. */
  #ready: ClientConnection[] = [];
  /** Those of them that carry none. */
  #idle = 0;
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
    return this.#idle;
  }

  /** Dials in progress. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Is there neither room on a connection nor room for a new one? */
  get full(): boolean {
    if (this.#ready.length > 0) return false;
    const most = this.#tuning.maxConnections;
    return (most > 0 && this.#open >= most) || (this.#load.connected && this.#load.idle === 0);
  }

  tune(tuning: EndpointTuning): void {
    this.#tuning = tuning;
    while (this.#idle > tuning.keepalive.connections) this.retireOldest();
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
      this.#idle + this.#dialing < Math.min(keepalive.prewarm, keepalive.connections) &&
      !this.#load.connected &&
      (this.#tuning.maxConnections === 0 || this.#open < this.#tuning.maxConnections)
    ) {
      const prewarm = new Prewarm(this, this.#prewarming);
      // No dial completes within the call that begins it.
      prewarm.place = this.#prewarming.enter(this.connect(connectTimeout, prewarm));
    }
  }

  /**
   * Gives `taker` a stream: at once if a connection has room, else on a new connection. Returns the dial in progress, or
   * null. `timeout` in ms. `fresh`: on a new connection in any case.
   */
  acquire(taker: StreamTaker, timeout: number, fresh: boolean): Dialing | null {
    const stream = fresh ? null : this.#openStream();
    if (stream === null) return this.connect(timeout, new StreamDial(this, taker));
    taker.onStream(stream, true);
    return null;
  }

  #openStream(): ClientStream | null {
    const last = this.#ready.length - 1;
    if (last < 0) return null;
    const connection = this.#ready[last]!;
    if (connection.streams === 0) this.#noLongerIdle();
    if (connection.room === 1) {
      connection.ready = false;
      this.#ready.pop();
    }
    connection.rules = this.#tuning.responses;
    this.#endpoint.metrics.connectionsReused++;
    if (this.#tuning.keepalive.prewarm > 0) this.prewarm();
    return connection.open();
  }

  /** It gets no new stream. */
  #unready(connection: ClientConnection): void {
    connection.ready = false;
    this.#ready.splice(this.#ready.lastIndexOf(connection), 1);
  }

  #noLongerIdle(): void {
    this.#idle--;
    this.#load.idle--;
  }

  /** Dials a connection. It counts from now on; a taker that does not pass it to `speak` calls `released` at its end. */
  connect(timeout: number, taker: TransportTaker): Dialing {
    const most = this.#tuning.maxConnections;
    // Counted before idle connections close to make room for it, so that no other dial takes that room.
    this.#opened();
    this.#dialing++;
    if (most > 0 && this.#open > most) this.retireOldest();
    if (this.#load.crowded) {
      if (this.#idle > 0) this.retireOldest();
      else this.#load.makeRoom(this);
    }
    return new Dial(this.#address, timeout, this.#deadlines, this, taker);
  }

  /** A dial has connected. */
  dialed(): void {
    this.#dialing--;
    this.#endpoint.metrics.connectionsOpened++;
  }

  /** A dial is over without a connection. `failed`: it was not cancelled. */
  notDialed(failed: boolean): void {
    this.#dialing--;
    this.#gone();
    if (failed) this.#endpoint.metrics.connectErrors++;
  }

  /** What waits for room may use that of a failed dial. */
  dialFreed(): void {
    this.#load.freed();
  }

  /** Makes an HTTP connection of a transport from `connect`. */
  speak(transport: Transport): ClientConnection {
    this.#endpoint.health.connected();
    return DEFAULT_CLIENT_CODEC.connect(transport, this, this.#deadlines, this.#tuning.responses);
  }

  /** No HTTP connection could be made. */
  connectFailed(error: GatewayError): void {
    this.#endpoint.connectFailed(error);
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

  /** Closes the idle connection that was not used for the longest time. */
  retireOldest(): void {
    this.#ready.find(({ streams }) => streams === 0)?.retire();
  }

  retireIdle(): void {
    // Each connection leaves the list as it closes.
    while (this.#idle > 0) this.retireOldest();
  }

  onRoom(connection: ClientConnection): void {
    const { keepalive } = this.#tuning;
    const now = this.#deadlines.now;
    const old = keepalive.maxAge > 0 && now - connection.madeAt >= keepalive.maxAge;
    const unwanted = this.#closed || !this.#endpoint.wanted || this.#endpoint.health.adminState === 'disabled';
    const idle = connection.streams === 0;
    if (unwanted || old || (idle && this.#idle >= keepalive.connections)) {
      if (connection.ready) this.#unready(connection);
      connection.retire();
      return;
    }
    if (!connection.ready) {
      connection.ready = true;
      this.#ready.push(connection);
    }
    if (idle) this.#rest(connection, now);
    this.#load.freed();
    if (keepalive.prewarm > 0) this.prewarm();
  }

  /** It carries no stream. `now`: monotonic ms. */
  #rest(connection: ClientConnection, now: number): void {
    const { keepalive } = this.#tuning;
    connection.deadline = Math.min(now + limitOf(keepalive.idle), connection.keptUntil);
    if (keepalive.maxAge > 0) connection.deadline = Math.min(connection.deadline, connection.madeAt + keepalive.maxAge);
    this.#idle++;
    this.#load.idle++;
  }

  onGone(connection: ClientConnection, idle: boolean): void {
    if (connection.ready) {
      this.#unready(connection);
      if (idle) this.#noLongerIdle();
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

/** A connection dialed for one stream. */
class StreamDial implements TransportTaker {
  readonly #connections: EndpointConnections;
  readonly #taker: StreamTaker;

  constructor(connections: EndpointConnections, taker: StreamTaker) {
    this.#connections = connections;
    this.#taker = taker;
  }

  onTransport(transport: Transport): void {
    const connection = this.#connections.speak(transport);
    const stream = connection.open();
    if (connection.room > 0) this.#connections.onRoom(connection);
    this.#taker.onStream(stream, false);
  }

  onConnectFailed(error: GatewayError): void {
    this.#connections.connectFailed(error);
    this.#taker.onConnectFailed(error);
  }
}

/** A connection dialed in advance. */
class Prewarm implements TransportTaker {
  place = NOWHERE;
  readonly #connections: EndpointConnections;
  readonly #places: Places<Dialing>;

  constructor(connections: EndpointConnections, places: Places<Dialing>) {
    this.#connections = connections;
    this.#places = places;
  }

  onTransport(transport: Transport): void {
    this.#places.leave(this.place);
    this.#connections.onRoom(this.#connections.speak(transport));
  }

  onConnectFailed(error: GatewayError): void {
    this.#places.leave(this.place);
    this.#connections.connectFailed(error);
  }
}

/** One dial with a timeout. */
class Dial implements Dialer, Dialing, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #connections: EndpointConnections;
  readonly #taker: TransportTaker;
  readonly #dialing: Dialing;
  #over = false;

  constructor(
    address: AddressPlan,
    timeout: number,
    deadlines: Deadlines,
    connections: EndpointConnections,
    taker: TransportTaker,
  ) {
    this.#deadlines = deadlines;
    this.#connections = connections;
    this.#taker = taker;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
    this.#dialing = dial(address, deadlines, this);
  }

  onConnected(transport: Transport): void {
    if (!this.#finish()) return;
    this.#connections.dialed();
    this.#taker.onTransport(transport);
  }

  onDialFailed(code: string): void {
    this.#failed(errorOf(code).with(code));
  }

  onDeadline(): void {
    if (!this.#over) this.#dialing.cancel();
    this.#failed(CONNECT_TIMEOUT);
  }

  cancel(): void {
    if (!this.#finish()) return;
    this.#dialing.cancel();
    this.#connections.notDialed(false);
  }

  #failed(error: GatewayError): void {
    if (!this.#finish()) return;
    this.#connections.notDialed(true);
    this.#taker.onConnectFailed(error);
    // Its taker may hold nothing else whose end wakes the queue.
    this.#connections.dialFreed();
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#deadlines.delete(this);
    return true;
  }
}
