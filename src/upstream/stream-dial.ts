/**
 * A dial and the exchanges that wait for it. Hot: once for each connection to an upstream.
 *
 * With a protocol of one stream a connection, one exchange at most waits for a dial: the one that has begun it. With a
 * protocol of many, further exchanges join it, each with a timeout of its own. The protocol may be known only when the
 * connection is made: what it has no room for dials again, and exchanges that wait for other dials may get room on it
 * (connections.ts).
 */
import { CONNECT_TIMEOUT, type GatewayError } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { ClientConnection, ClientStream } from '../http/client-stream.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { TlsTarget } from './endpoint-tls.ts';
import type { TransportTaker } from './timed-dial.ts';

/** The receiver of a stream. */
export interface StreamTaker {
  /** The server name for TLS, if the request brings one; '': the endpoint's own. */
  readonly serverName: string;
  /** `reused`: its connection has carried requests before, or was dialed in advance. */
  onStream(stream: ClientStream, reused: boolean): void;
  onConnectFailed(error: GatewayError): void;
}

export interface StreamDialOwner {
  /** Opens a stream on a connection that has room. */
  openOn(connection: ClientConnection): ClientStream;
  /** The dial has made a connection. */
  streamDialed(dial: StreamDial, transport: Transport): void;
  /** The dial is over without a connection; null: it was not needed any more. */
  streamDialOver(dial: StreamDial, error: GatewayError | null): void;
  /** An exchange has waited too long for the dial of others. */
  connectFailed(error: GatewayError): void;
  acquire(taker: StreamTaker, timeout: number, fresh: boolean): Dialing | null;
}

export class StreamDial implements TransportTaker, Dialing {
  /** Its place among its owner's dials. */
  place = NOWHERE;
  /** What it dials; null: without TLS. */
  readonly target: TlsTarget | null;
  readonly #owner: StreamDialOwner;
  /** Dialed in advance: it goes on though no exchange waits for it. */
  readonly #advance: boolean;
  /** The exchange that has begun it; null: it has gone, or there was none. */
  #taker: StreamTaker | null;
  /** The exchanges that have joined, in order; null: none has. */
  #joined: JoinedTaker[] | null = null;
  #dialing: Dialing | null = null;
  /** It has connected, failed or ended. */
  #over = false;

  /** `taker` is null for a connection that is dialed in advance. */
  constructor(owner: StreamDialOwner, target: TlsTarget | null, taker: StreamTaker | null) {
    this.#owner = owner;
    this.target = target;
    this.#taker = taker;
    this.#advance = taker === null;
  }

  begun(dialing: Dialing): this {
    this.#dialing = dialing;
    return this;
  }

  /** Exchanges that wait for it. */
  get waiting(): number {
    return (this.#taker === null ? 0 : 1) + (this.#joined === null ? 0 : this.#joined.length);
  }

  /** `timeout` in ms. */
  join(taker: StreamTaker, timeout: number, deadlines: Deadlines): Dialing {
    const joined = new JoinedTaker(taker, this, this.#owner, timeout, deadlines);
    (this.#joined ??= []).push(joined);
    return joined;
  }

  /** The exchange that has begun it no longer needs it. */
  cancel(): void {
    this.#taker = null;
    this.#endIfUnused();
  }

  /** For JoinedTaker only: it is still among those that wait. */
  left(joined: JoinedTaker): void {
    const all = this.#joined!;
    all.splice(all.indexOf(joined), 1);
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.waiting === 0 && !this.#advance) this.end();
  }

  /** Ends it before it has connected. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#dialing!.cancel();
    this.#owner.streamDialOver(this, null);
  }

  onTransport(transport: Transport): void {
    this.#over = true;
    this.#owner.streamDialed(this, transport);
  }

  onConnectFailed(error: GatewayError): void {
    this.#over = true;
    this.#owner.streamDialOver(this, error);
    for (let taker = this.#next(); taker !== null; taker = this.#next()) taker.onConnectFailed(error);
  }

  /** Gives streams on a new connection to the exchanges that wait, as far as it has room. */
  serve(connection: ClientConnection): void {
    while (connection.room > 0) {
      const taker = this.#next();
      if (taker === null) return;
      taker.onStream(this.#owner.openOn(connection), false);
    }
  }

  /** The same, for the connection of another dial: this one ends if no exchange waits for it any more. */
  serveWithOther(connection: ClientConnection): void {
    if (this.waiting === 0 || this.target !== connection.target) return;
    this.serve(connection);
    this.#endIfUnused();
  }

  /** Its connection has no room for the exchanges that still wait: they dial again. */
  dialAgain(): void {
    const joined = this.#joined ?? [];
    this.#joined = null;
    for (const one of joined) one.dialAgain();
  }

  /** Takes the next exchange that waits, or null. */
  #next(): StreamTaker | null {
    const taker = this.#taker;
    if (taker !== null) {
      this.#taker = null;
      return taker;
    }
    const joined = this.#joined?.shift();
    return joined === undefined ? null : joined.over();
  }
}

/** An exchange that waits for the dial of another one. */
class JoinedTaker implements Dialing, Timed {
  deadline: number;
  timedPlace = NOWHERE;
  readonly #taker: StreamTaker;
  readonly #owner: StreamDialOwner;
  readonly #deadlines: Deadlines;
  /** null: it does not wait for that any more. */
  #dial: StreamDial | null;
  /** The dial after the first; null: there is none. */
  #again: Dialing | null = null;

  constructor(taker: StreamTaker, dial: StreamDial, owner: StreamDialOwner, timeout: number, deadlines: Deadlines) {
    this.#taker = taker;
    this.#dial = dial;
    this.#owner = owner;
    this.#deadlines = deadlines;
    this.deadline = deadlines.now + timeout;
    deadlines.add(this);
  }

  /** It waits for the dial no more. Returns its taker. */
  over(): StreamTaker {
    this.#dial = null;
    this.#deadlines.delete(this);
    return this.#taker;
  }

  dialAgain(): void {
    const taker = this.over();
    // Never from a connection that was there before: the exchange may have asked for a new one.
    this.#again = this.#owner.acquire(taker, this.deadline - this.#deadlines.now, true);
  }

  cancel(): void {
    this.#again?.cancel();
    this.#leave();
  }

  onDeadline(): void {
    this.#leave();
    this.#owner.connectFailed(CONNECT_TIMEOUT);
    this.#taker.onConnectFailed(CONNECT_TIMEOUT);
  }

  #leave(): void {
    const dial = this.#dial;
    if (dial === null) return;
    this.over();
    dial.left(this);
  }
}
