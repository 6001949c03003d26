/**
 * One connection of a tcp listener: choose an endpoint, dial, join the two. Hot.
 *
 * Nothing is read from the client until the upstream is there, and nothing is expected of it: the upstream may speak
 * first. The lease is held by the connection from the choice of an endpoint to its end.
 */
import { type GatewayError, NO_ENDPOINT, POOL_FULL } from '../kit/errors.ts';
import type { Connection } from '../net/connection.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { Dialing } from '../net/dial.ts';
import { IGNORE, type Transport, type TransportHandler } from '../net/transport.ts';
import { Tunnel, type TunnelObserver } from '../net/tunnel.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { TransportTaker } from '../upstream/connections.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Lease, Leaseholder } from './live.ts';

/** Endpoints tried while none can be reached. */
const MOST_ATTEMPTS = 3;
const NOTHING = Buffer.alloc(0);

/** What a relay needs of the snapshot that is current when its client connects. */
export interface TcpLive {
  readonly lease: Lease;
  readonly pool: Pool;
  readonly metrics: ListenerMetrics;
  readonly deadlines: Deadlines;
}

export interface RelayObserver {
  /** The client's connection is over. Called once. `error`: '' or why. */
  onRelayClosed(relay: Relay, error: string): void;
}

export class Relay implements TransportTaker, TunnelObserver, TransportHandler, Leaseholder {
  readonly connection: Connection;
  /* As an Asker. */
  readonly path = '';
  readonly fields = null;
  /** Address of the endpoint that was tried last, or ''. */
  endpointAddress = '';
  readonly #client: Transport;
  readonly #live: TcpLive;
  readonly #observer: RelayObserver;
  #endpoint: EndpointState | null = null;
  #dialing: Dialing | null = null;
  #tunnel: Tunnel | null = null;
  #attempts = 0;
  #over = false;

  constructor(client: Transport, connection: Connection, live: TcpLive, observer: RelayObserver) {
    this.#client = client;
    this.connection = connection;
    this.#live = live;
    this.#observer = observer;
    client.handler = this;
    client.pause();
    live.lease.lease(this);
    this.#try('');
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  get bytesIn(): number {
    return this.#tunnel?.bytesFromClient ?? 0;
  }

  get bytesOut(): number {
    return this.#tunnel?.bytesFromUpstream ?? 0;
  }

  /** `after`: how the attempt before failed, or ''. */
  #try(after: string): void {
    const endpoint = this.#live.pool.pick(this);
    if (endpoint === null) {
      const { code } = this.#live.pool.full ? POOL_FULL : NO_ENDPOINT;
      this.#end(after === '' ? code : after);
      return;
    }
    this.#attempts++;
    this.#endpoint = endpoint;
    this.endpointAddress = endpoint.address.text;
    endpoint.active++;
    this.#dialing = endpoint.connections.connect(this.#live.pool.plan.timeouts.connect, this);
  }

  onTransport(upstream: Transport): void {
    this.#dialing = null;
    this.#endpoint!.succeeded();
    const { metrics, deadlines, pool } = this.#live;
    metrics.tunnelsOpened++;
    metrics.tunnelsActive++;
    this.#tunnel = new Tunnel(this.#client, upstream, deadlines, pool.plan.timeouts.tunnel, this);
    this.#tunnel.start(NOTHING, NOTHING);
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.#endpoint!.active--;
    this.#endpoint!.failed(error);
    this.#endpoint = null;
    if (this.#attempts < MOST_ATTEMPTS) this.#try(error.code);
    else this.#end(error.code);
  }

  onTunnelClosed(code: string): void {
    const { metrics } = this.#live;
    metrics.tunnelsActive--;
    metrics.tunnelBytesIn += this.bytesIn;
    metrics.tunnelBytesOut += this.bytesOut;
    this.#endpoint!.connections.released();
    this.#endpoint!.active--;
    this.#endpoint = null;
    this.#end(code);
  }

  /** Its generation has had its time. */
  cut(): void {
    if (this.#tunnel !== null) this.#tunnel.close('drained');
    else this.#end('drained');
  }

  #end(error: string): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#dialing !== null) {
      this.#dialing.cancel();
      this.#endpoint!.active--;
    }
    this.#client.handler = IGNORE;
    this.#client.reset();
    this.#live.lease.release(this);
    this.#observer.onRelayClosed(this, error);
  }

  /* While the upstream is being dialled the client is not read: only its breaking off can be heard. */

  onBytes(): void {}
  onDrain(): void {}
  onEnd(): void {}

  onClose(code: string): void {
    this.#end(code);
  }
}
