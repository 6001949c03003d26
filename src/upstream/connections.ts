/**
 * The connections to one endpoint, and the streams on them. Hot.
 *
 * The connections that have room for another stream are a stack: the most recently used is taken first, so surplus
 * connections age and are closed. A connection with a codec that carries one stream at a time is in it while idle.
 */
import type { GatewayError } from '../kit/errors.ts';
import { Places } from '../kit/places.ts';
import { clientCodecOf } from '../http/client-codecs.ts';
import type { ClientConnection, ClientConnectionOwner, ClientStream } from '../http/client-stream.ts';
import { type Deadlines, limitOf } from '../net/deadlines.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import type { EndpointState, EndpointTuning } from './endpoint.ts';
import { EndpointTls, type EndpointTlsTuning, type TlsTarget } from './endpoint-tls.ts';
import type { PoolLoad } from './load.ts';
import { HEALTHY } from './strategies/strategy.ts';
import { StreamDial, type StreamDialOwner, type StreamTaker } from './stream-dial.ts';
import { type DialOwner, TimedDial, type TransportTaker } from './timed-dial.ts';

/** Milliseconds that a prewarmed connection must live before another replaces it. */
const SHORTEST_LIFE = 1000;

export class EndpointConnections implements ClientConnectionOwner, DialOwner, StreamDialOwner {
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
  /** Dials in progress, but for those of `connect`. */
  readonly #dials = new Places<StreamDial>();
  /** Streams that a connection carries at a time, by the protocol of the last one; 1 until there was one. */
  #width = 1;
  /** The last dial, if exchanges may join it; null: there is none, or the protocol has one stream a connection. */
  #joinable: StreamDial | null = null;
  /** null: connections have no TLS. */
  #tls: EndpointTls | null;
  readonly #wall: () => number;
  #closed = false;

  /** `wall`: the wall clock, in ms. */
  constructor(
    address: AddressPlan,
    tuning: EndpointTuning,
    deadlines: Deadlines,
    wall: () => number,
    endpoint: EndpointState,
  ) {
    this.#wall = wall;
    this.#tls = tuning.tls === null ? null : new EndpointTls(tuning.tls, wall);
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

  /** The TLS of new connections; null: they have none. */
  get tls(): EndpointTls | null {
    return this.#tls;
  }

  /** Dials in progress. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Is there neither room on a connection nor room for a new one? */
  get full(): boolean {
    const dial = this.#joinable;
    if (this.#ready.length > 0 || (dial !== null && this.#dialToJoin(dial.target) !== null)) return false;
    const most = this.#tuning.maxConnections;
    return (most > 0 && this.#open >= most) || (this.#load.connected && this.#load.idle === 0);
  }

  tune(tuning: EndpointTuning): void {
    this.#tuning = tuning;
    this.#tuneTls(tuning.tls);
    while (this.#idle > tuning.keepalive.connections) this.retireOldest();
    this.prewarm();
  }

  /** Under new settings no old connection is used again: those that carry streams close after them. */
  #tuneTls(tuning: EndpointTlsTuning | null): void {
    if (this.#tls === null ? tuning === null : this.#tls.is(tuning)) return;
    this.#tls = tuning === null ? null : new EndpointTls(tuning, this.#wall);
    this.#joinable = null;
    this.#endAdvance();
    this.retireIdle();
  }

  /** Dials the configured number of connections in advance. */
  prewarm(): void {
    const { keepalive, connectTimeout } = this.#tuning;
    // The requests bring the server names.
    if (keepalive.prewarm === 0 || this.#tls?.fromHost === true) return;
    const target = this.#targetFor('');
    while (
      !this.#closed &&
      this.#endpoint.wanted &&
      this.#endpoint.health.tier() === HEALTHY &&
      this.#idle + this.#dialing < Math.min(keepalive.prewarm, keepalive.connections) &&
      !this.#load.connected &&
      (this.#tuning.maxConnections === 0 || this.#open < this.#tuning.maxConnections)
    )
      this.#dialFor(target, null, connectTimeout);
  }

  #targetFor(serverName: string): TlsTarget | null {
    return this.#tls === null ? null : this.#tls.target(serverName);
  }

  /**
   * Gives `taker` a stream: at once if a connection has room, else on a new connection. Returns the dial in progress, or
   * null. `timeout` in ms; a dial that another exchange has begun may end earlier. `fresh`: on a new connection in any
   * case.
   */
  acquire(taker: StreamTaker, timeout: number, fresh: boolean): Dialing | null {
    const target = this.#targetFor(taker.serverName);
    const stream = fresh ? null : this.#openStream(target);
    if (stream === null) {
      const dial = this.#dialToJoin(target);
      return dial === null ? this.#dialFor(target, taker, timeout) : dial.join(taker, timeout, this.#deadlines);
    }
    taker.onStream(stream, true);
    return null;
  }

  /** The dial in progress whose connection will have room for another exchange with that target, or null. */
  #dialToJoin(target: TlsTarget | null): StreamDial | null {
    const dial = this.#joinable;
    return dial !== null && dial.target === target && dial.waiting < this.#width ? dial : null;
  }

  /** `taker`: null for a connection that is dialed in advance. */
  #dialFor(target: TlsTarget | null, taker: StreamTaker | null, timeout: number): StreamDial {
    const dial = new StreamDial(this, target, taker);
    // No dial completes within the call that begins it.
    dial.begun(this.#dial(target, true, timeout, dial));
    dial.place = this.#dials.enter(dial);
    if (this.#width > 1) this.#joinable = dial;
    return dial;
  }

  #openStream(target: TlsTarget | null): ClientStream | null {
    const ready = this.#ready;
    let at = ready.length - 1;
    // Only requests that bring server names find connections of others.
    while (at >= 0 && ready[at]!.target !== target) at--;
    if (at < 0) return null;
    const connection = ready[at]!;
    connection.rules = this.#tuning.responses;
    this.#endpoint.metrics.connectionsReused++;
    const stream = this.openOn(connection);
    if (this.#tuning.keepalive.prewarm > 0) this.prewarm();
    return stream;
  }

  openOn(connection: ClientConnection): ClientStream {
    // A new one is not ready yet.
    if (connection.ready) {
      if (connection.streams === 0) this.#noLongerIdle();
      if (connection.room === 1) this.#unready(connection);
    }
    return connection.open();
  }

  /** It gets no new stream. */
  #unready(connection: ClientConnection): void {
    connection.ready = false;
    const ready = this.#ready;
    if (ready[ready.length - 1] === connection) ready.pop();
    else ready.splice(ready.lastIndexOf(connection), 1);
  }

  #noLongerIdle(): void {
    this.#idle--;
    this.#load.idle--;
  }

  /** Dials a connection. It counts from now on; a taker that does not pass it to `speak` calls `released` at its end. */
  connect(timeout: number, taker: TransportTaker): Dialing {
    return this.#dial(this.#targetFor(''), false, timeout, taker);
  }

  /** `http`: the connection is for HTTP. */
  #dial(tls: TlsTarget | null, http: boolean, timeout: number, taker: TransportTaker): Dialing {
    const most = this.#tuning.maxConnections;
    // Counted before idle connections close to make room for it, so that no other dial takes that room.
    this.#opened();
    this.#dialing++;
    if (most > 0 && this.#open > most) this.retireOldest();
    if (this.#load.crowded) {
      if (this.#idle > 0) this.retireOldest();
      else this.#load.makeRoom(this);
    }
    return new TimedDial({ address: this.#address, tls, http }, timeout, this.#deadlines, this, taker);
  }

  dialed(resumed: boolean | null): void {
    const { metrics } = this.#endpoint;
    this.#dialing--;
    metrics.connectionsOpened++;
    if (resumed === true) metrics.tlsResumed++;
    else if (resumed === false) metrics.tlsFull++;
  }

  notDialed(failed: boolean): void {
    this.#dialing--;
    this.#gone();
    if (failed) this.#endpoint.metrics.connectErrors++;
  }

  dialFreed(): void {
    this.#load.freed();
  }

  /** Makes an HTTP connection of a transport from `connect`. */
  speak(transport: Transport): ClientConnection {
    this.#endpoint.health.connected();
    const codec = clientCodecOf(transport.protocol);
    return codec.connect(transport, this, this.#deadlines, this.#tuning.responses);
  }

  streamDialed(dial: StreamDial, transport: Transport): void {
    this.#forget(dial);
    const connection = this.speak(transport);
    connection.target = dial.target === null ? null : dial.target.tls.secured(dial.target);
    this.#width = connection.room;
    dial.serve(connection);
    // The exchanges that wait for other dials: when those began, it was not known that they could share this one.
    if (this.#width > 1) for (const other of this.#dials) other.serveWithOther(connection);
    if (connection.room > 0 && !connection.ready) this.onRoom(connection);
    dial.dialAgain();
  }

  streamDialOver(dial: StreamDial, error: GatewayError | null): void {
    this.#forget(dial);
    if (error !== null) this.connectFailed(error);
    else this.#load.freed();
  }

  #forget(dial: StreamDial): void {
    this.#dials.leave(dial.place);
    if (this.#joinable === dial) this.#joinable = null;
  }

  /** No HTTP connection could be made. */
  connectFailed(error: GatewayError): void {
    // A server name that a client invents says nothing of the endpoint.
    if (this.#tls?.fromHost === true && error.code.startsWith('tls_')) return;
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

  /** Closes the idle connection that was not used for the longest time. `except`: it is none of the candidates. */
  retireOldest(except: ClientConnection | null = null): void {
    this.#ready.find((one) => one.streams === 0 && one !== except)?.retire();
  }

  retireIdle(): void {
    // Each connection leaves the list as it closes.
    while (this.#idle > 0) this.retireOldest();
  }

  onRoom(connection: ClientConnection): void {
    const { keepalive } = this.#tuning;
    const now = this.#deadlines.now;
    const old = keepalive.maxAge > 0 && now - connection.madeAt >= keepalive.maxAge;
    const unwanted =
      this.#closed ||
      !this.#endpoint.wanted ||
      this.#endpoint.health.adminState === 'disabled' ||
      !this.#isCurrent(connection.target);
    const idle = connection.streams === 0;
    // Those of names that are asked for no more make room.
    if (idle && this.#tls?.fromHost === true && this.#idle > 0 && this.#idle >= keepalive.connections)
      this.retireOldest(connection);
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

  /** Was the connection made under the settings of new ones? */
  #isCurrent(target: object | null): boolean {
    const tls = this.#tls;
    if (tls === null || target === null) return tls === target;
    // `streamDialed` has set it.
    return target === tls.own || (target as TlsTarget).tls === tls;
  }

  onFull(connection: ClientConnection): void {
    const idle = connection.streams === 0;
    if (connection.ready) {
      this.#unready(connection);
      if (idle) this.#noLongerIdle();
    }
    // It is of no use: it may never have room again.
    if (idle) connection.retire();
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
    this.#endAdvance();
    this.retireIdle();
  }

  /** Ends the dials that no exchange waits for. */
  #endAdvance(): void {
    for (const dial of this.#dials) if (dial.waiting === 0) dial.end();
  }
}
