/** One dial of an endpoint, with its TLS handshake and a timeout. Hot: once for each connection to an upstream. */
import {
  CONNECT_FAILED,
  CONNECT_REFUSED,
  CONNECT_TIMEOUT,
  type GatewayError,
  OUT_OF_RESOURCES,
} from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import { dial, type Dialer, type Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { Handshake } from '../net/tls/handshake.ts';
import type { AddressPlan } from '../plan/types/address.ts';
import { secure, type TargetObserver, type TlsTarget } from './endpoint-tls.ts';

/** The receiver of a new connection that speaks no protocol yet. */
export interface TransportTaker {
  onTransport(transport: Transport): void;
  onConnectFailed(error: GatewayError): void;
}

/** Counts dials. */
export interface DialOwner {
  /** A dial has connected. `resumed`: a TLS session was; null: the connection has no TLS. */
  dialed(resumed: boolean | null): void;
  /** A dial is over without a connection. `failed`: it was not cancelled. */
  notDialed(failed: boolean): void;
  /** What waits for room may use that of a failed dial. */
  dialFreed(): void;
}

/** Resources that this machine lacks, not the endpoint. */
const OWN_FAULTS = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN']);

function errorOf(code: string): GatewayError {
  if (code === 'ECONNREFUSED') return CONNECT_REFUSED;
  if (code === 'ETIMEDOUT') return CONNECT_TIMEOUT;
  return OWN_FAULTS.has(code) ? OUT_OF_RESOURCES : CONNECT_FAILED;
}

/** What to dial. */
export interface DialTarget {
  readonly address: AddressPlan;
  /** null: the connection has no TLS. */
  readonly tls: TlsTarget | null;
  /** The connection is for HTTP. */
  readonly http: boolean;
}

export class TimedDial implements Dialer, Dialing, Timed, TargetObserver {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #owner: DialOwner;
  readonly #taker: TransportTaker;
  readonly #target: DialTarget;
  readonly #dialing: Dialing;
  /** null: it has not begun. */
  #handshake: Handshake | null = null;
  #over = false;

  constructor(target: DialTarget, timeout: number, deadlines: Deadlines, owner: DialOwner, taker: TransportTaker) {
    this.#target = target;
    this.#deadlines = deadlines;
    this.#owner = owner;
    this.#taker = taker;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
    this.#dialing = dial(target.address, deadlines, this);
  }

  onConnected(transport: Transport): void {
    const { tls, http } = this.#target;
    if (tls === null) this.#made(transport, null);
    else if (!this.#over) this.#handshake = secure(transport, tls, http, this);
  }

  onSecured(transport: Transport, resumed: boolean): void {
    this.#made(transport, resumed);
  }

  onHandshakeFailed(error: GatewayError): void {
    this.#failed(error);
  }

  #made(transport: Transport, resumed: boolean | null): void {
    if (!this.#finish()) return;
    this.#owner.dialed(resumed);
    this.#taker.onTransport(transport);
  }

  onDialFailed(code: string): void {
    this.#failed(errorOf(code).with(code));
  }

  onDeadline(): void {
    if (this.#over) return;
    this.#end();
    this.#failed(this.#handshake === null ? CONNECT_TIMEOUT : CONNECT_TIMEOUT.with('in the TLS handshake'));
  }

  cancel(): void {
    if (!this.#finish()) return;
    this.#end();
    this.#owner.notDialed(false);
  }

  #end(): void {
    if (this.#handshake === null) this.#dialing.cancel();
    else this.#handshake.cancel();
  }

  #failed(error: GatewayError): void {
    if (!this.#finish()) return;
    this.#owner.notDialed(true);
    this.#taker.onConnectFailed(error);
    // Its taker may hold nothing else whose end wakes the queue.
    this.#owner.dialFreed();
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#deadlines.delete(this);
    return true;
  }
}
