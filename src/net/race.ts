/**
 * Connects to the address of a name that answers first, as RFC 8305 specifies ("Happy Eyeballs"). Hot (once per
 * connection).
 *
 * Families alternate, and the system's preferred one comes first (§4). The next attempt begins when the previous one
 * has failed or after the delay of §5. No attempt is abandoned for being slow: the first that succeeds ends the others.
 * Node's own implementation abandons each address before it tries the next, and so may lose all of them if the round
 * trip is long.
 */
import { NOWHERE } from '../kit/places.ts';
import dns from 'node:dns';
import { isIPv6 } from 'node:net';
import type { Deadlines, Timed } from './deadlines.ts';
import type { Dialer, Dialing } from './dial.ts';
import type { Transport } from './transport.ts';

/** The Connection Attempt Delay (ms), which `Deadlines` extends by up to 100. */
const DELAY = 250;

/** Starts one attempt at one address. */
export type Dial = (host: string, dialer: Dialer) => Dialing;

export class Race implements Dialing, Timed {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  readonly #deadlines: Deadlines;
  readonly #dialer: Dialer;
  readonly #attempt: Dial;
  /** Addresses not tried yet. */
  #left: string[] = [];
  readonly #running: Dialing[] = [];
  /** The error of the first attempt that failed; it stands for all. */
  #code = '';
  #over = false;

  constructor(name: string, deadlines: Deadlines, dialer: Dialer, attempt: Dial) {
    this.#deadlines = deadlines;
    this.#dialer = dialer;
    this.#attempt = attempt;
    deadlines.add(this);
    dns.lookup(name, { all: true, order: 'verbatim' }, (error, found) => {
      if (this.#over) return;
      if (error === null) this.#left = inTurns(found.map(({ address }) => address));
      else this.#code = error.code ?? 'ENOTFOUND';
      this.#next();
    });
  }

  cancel(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadlines.delete(this);
    for (const dialing of this.#running.splice(0)) dialing.cancel();
  }

  /** The delay after the previous attempt is over (Timed). */
  onDeadline(): void {
    this.#next();
  }

  /** Tries the next address. Reports the failure if no address is left and no attempt is running. */
  #next(): void {
    const host = this.#left.shift();
    this.deadline = this.#left.length > 0 ? this.#deadlines.now + DELAY : Number.POSITIVE_INFINITY;
    if (host === undefined) {
      if (this.#running.length > 0) return;
      this.cancel();
      this.#dialer.onDialFailed(this.#code === '' ? 'ENOTFOUND' : this.#code);
      return;
    }
    const dialing = this.#attempt(host, {
      onConnected: (transport) => this.#won(dialing, transport),
      onDialFailed: (code) => this.#lost(dialing, code),
    });
    this.#running.push(dialing);
  }

  #won(dialing: Dialing, transport: Transport): void {
    this.#stopped(dialing);
    this.cancel();
    this.#dialer.onConnected(transport);
  }

  #stopped(dialing: Dialing): void {
    const index = this.#running.indexOf(dialing);
    if (index >= 0) this.#running.splice(index, 1);
  }

  #lost(dialing: Dialing, code: string): void {
    this.#stopped(dialing);
    if (this.#code === '') this.#code = code;
    this.#next();
  }
}

/** Alternates the families while both have addresses, beginning with the first address's family. */
export function inTurns(addresses: readonly string[]): string[] {
  const first = isIPv6(addresses[0] ?? '');
  const favoured = addresses.filter((address) => isIPv6(address) === first);
  const others = addresses.filter((address) => isIPv6(address) !== first);
  return favoured.flatMap((address, i) => [address, ...others.slice(i, i + 1)]).concat(others.slice(favoured.length));
}
