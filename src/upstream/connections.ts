/**
 * The connections to one endpoint: idle ones kept for the next exchange, and new ones made. Hot.
 *
 * The last one given back is the first taken again, so that what is not needed grows old and is closed.
 */
import { CONNECT_FAILED, CONNECT_REFUSED, CONNECT_TIMEOUT, type GatewayError } from '../kit/errors.ts';
import { Http1ClientConnection } from '../http/h1/client.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import { dial, type Dialer, type Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { EndpointMetrics } from '../observe/metrics.ts';
import type { AddressPlan } from '../plan/types.ts';
import type { EndpointTuning } from './endpoint.ts';

/** Who wants a connection. */
export interface TransportTaker {
  onTransport(transport: Transport): void;
  onConnectFailed(error: GatewayError): void;
}

export class EndpointConnections {
  readonly #address: AddressPlan;
  readonly #deadlines: Deadlines;
  readonly #metrics: EndpointMetrics;
  #tuning: EndpointTuning;
  #idle: Http1ClientConnection[] = [];
  #open = 0;
  #dialing = 0;
  #closed = false;

  constructor(address: AddressPlan, tuning: EndpointTuning, deadlines: Deadlines, metrics: EndpointMetrics) {
    this.#address = address;
    this.#tuning = tuning;
    this.#deadlines = deadlines;
    this.#metrics = metrics;
  }

  /** Connections open or being made, idle ones included. */
  get open(): number {
    return this.#open;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Connections being made. */
  get dialing(): number {
    return this.#dialing;
  }

  /** Is there neither an idle connection nor room for another? */
  get full(): boolean {
    const most = this.#tuning.maxConnections;
    return most > 0 && this.#open >= most && this.#idle.length === 0;
  }

  tune(tuning: EndpointTuning): void {
    this.#tuning = tuning;
    while (this.#idle.length > tuning.keepalive.connections) this.#idle[0]!.retire();
  }

  /** An idle connection, or null. */
  take(): Http1ClientConnection | null {
    const connection = this.#idle.pop();
    if (connection === undefined) return null;
    this.#metrics.connectionsReused++;
    return connection;
  }

  /** Makes a new connection. It counts from now on; whoever gets it says `released` when it is over. */
  connect(timeout: number, taker: TransportTaker): Dialing {
    const most = this.#tuning.maxConnections;
    // An idle one that is not wanted makes room.
    if (most > 0 && this.#open >= most) this.#idle[0]?.retire();
    this.#open++;
    this.#dialing++;
    return new Attempt(
      this.#address,
      timeout,
      this.#deadlines,
      {
        onTransport: (transport) => {
          this.#dialing--;
          this.#metrics.connectionsOpened++;
          taker.onTransport(transport);
        },
        onConnectFailed: (error) => {
          this.#dialing--;
          this.#open--;
          this.#metrics.connectErrors++;
          taker.onConnectFailed(error);
        },
      },
      () => {
        this.#dialing--;
        this.#open--;
      },
    );
  }

  /** Makes an HTTP/1.1 connection of a transport that `connect` gave. */
  speakHttp1(transport: Transport): Http1ClientConnection {
    return new Http1ClientConnection(transport, this, this.#deadlines);
  }

  /** A transport that `connect` gave, and that was not made an HTTP connection, is closed. */
  released(): void {
    this.#open--;
  }

  onIdle(connection: Http1ClientConnection): void {
    if (this.#closed || this.#idle.length >= this.#tuning.keepalive.connections) {
      connection.retire();
      return;
    }
    connection.deadline = this.#deadlines.now + this.#tuning.keepalive.idle;
    this.#idle.push(connection);
  }

  onGone(connection: Http1ClientConnection, idle: boolean): void {
    this.#open--;
    if (!idle) return;
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Closes what is idle now, and the rest when it becomes so. */
  close(): void {
    this.#closed = true;
    const idle = this.#idle;
    this.#idle = [];
    for (const connection of idle) connection.retire();
  }
}

/** One dial with a deadline. */
class Attempt implements Dialer, Dialing, Timed {
  deadline: number;
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
    this.#dialing = dial(address, this);
  }

  onConnected(transport: Transport): void {
    if (this.#finish()) this.#taker.onTransport(transport);
  }

  onDialFailed(code: string): void {
    if (!this.#finish()) return;
    const error = code === 'ECONNREFUSED' ? CONNECT_REFUSED : code === 'ETIMEDOUT' ? CONNECT_TIMEOUT : CONNECT_FAILED;
    this.#taker.onConnectFailed(error.with(code));
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
