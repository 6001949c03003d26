/** One dial of an endpoint, with a timeout. Hot: once for each connection to an upstream. */
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
import type { AddressPlan } from '../plan/types/address.ts';

/** The receiver of a new connection that speaks no protocol yet. */
export interface TransportTaker {
  onTransport(transport: Transport): void;
  onConnectFailed(error: GatewayError): void;
}

/** Counts dials. */
export interface DialOwner {
  /** A dial has connected. */
  dialed(): void;
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

export class TimedDial implements Dialer, Dialing, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #owner: DialOwner;
  readonly #taker: TransportTaker;
  readonly #dialing: Dialing;
  #over = false;

  constructor(address: AddressPlan, timeout: number, deadlines: Deadlines, owner: DialOwner, taker: TransportTaker) {
    this.#deadlines = deadlines;
    this.#owner = owner;
    this.#taker = taker;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
    this.#dialing = dial(address, deadlines, this);
  }

  onConnected(transport: Transport): void {
    if (!this.#finish()) return;
    this.#owner.dialed();
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
    this.#owner.notDialed(false);
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
