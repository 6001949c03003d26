/**
 * One connection of a tcp listener: picks an endpoint, dials it, and joins the two connections. Hot.
 *
 * The relay reads nothing from the client until the upstream is connected, and waits for no first bytes: the upstream
 * may speak first. Bytes that have been read to choose a pool, such as a ClientHello, go to the upstream first. The
 * connection holds the lease from the choice of an endpoint to its end.
 */
import { type GatewayError, NO_ENDPOINT, POOL_FULL, QUEUE_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import { type ByteStreamHandler, IGNORE } from '../net/byte-stream.ts';
import type { Connection } from '../net/connection.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import { Tunnel, type TunnelObserver } from '../net/tunnel.ts';
import type { TransportTaker } from '../upstream/timed-dial.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import { Pool } from '../upstream/pool.ts';
import type { Place, Waiter } from '../upstream/queue.ts';
import { admitsSession } from './admission.ts';
import type {
  Termination,
  Leaseholder,
  LeaseView,
  MigrationBlocker,
  Successor,
  RelayContext,
} from './listener-context.ts';
import { findPool, missing } from './migration.ts';
import { mayRetry } from './retry.ts';
import type { Opening, StreamChoice } from './tls-router.ts';

export interface RelayObserver {
  /** The client's connection has closed. Called once. `error`: '' or the reason. */
  onRelayClosed(relay: Relay, error: string): void;
}

export class Relay implements TransportTaker, TunnelObserver, ByteStreamHandler, Leaseholder, Waiter {
  readonly connection: Connection;
  /** Monotonic ms. */
  readonly startedAt: number;
  /** As a LoadBalancerContext. */
  readonly path = '';
  readonly fields = null;
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  /** Address of the endpoint that was tried last, or ''. */
  endpointAddress = '';
  /** Details of the last failed dial, or ''. */
  errorDetail = '';
  readonly #client: Transport;
  #context: RelayContext;
  readonly #opening: Opening;
  #choice: StreamChoice<Pool>;
  /** The client's first bytes, until the upstream gets them. */
  #early: Buffer | null;
  readonly #earlyBytes: number;
  readonly #observer: RelayObserver;
  /** The pool in use: the listener's, or one of its fallbacks. */
  #pool: Pool;
  #endpoint: EndpointState | null = null;
  #dialing: Dialing | null = null;
  #tunnel: Tunnel | null = null;
  /** Endpoints whose connection failed. */
  #tried: EndpointState[] = [];
  #trial = false;
  /** The attempt in progress is not the first. */
  #further = false;
  /** Its place in the queue. */
  #place: Place | null = null;
  #over = false;

  /** `choice`: that of the context for the opening, with a pool; `early`: what has been read from the client, or null. */
  constructor(
    client: Transport,
    connection: Connection,
    context: RelayContext,
    opening: Opening,
    choice: StreamChoice<Pool>,
    early: Buffer | null,
    observer: RelayObserver,
  ) {
    this.#client = client;
    this.#opening = opening;
    this.#choice = choice;
    this.#early = early;
    this.#earlyBytes = early?.length ?? 0;
    this.connection = connection;
    this.startedAt = context.shared.clock.now();
    this.#context = context;
    this.#pool = choice.pool!;
    this.#observer = observer;
    client.handler = this;
    client.pause();
    context.lease.lease(this);
    this.#try('');
  }

  get clientAddress(): string {
    return this.connection.clientAddress;
  }

  get bytesIn(): number {
    return this.#tunnel === null ? 0 : this.#earlyBytes + this.#tunnel.bytesFromClient;
  }

  get route(): string {
    return this.#choice.route;
  }

  /** As the client sent it, or ''. */
  get serverName(): string {
    return typeof this.#opening === 'string' ? '' : this.#opening.serverName;
  }

  /** The pool in use. */
  get pool(): string {
    return this.#pool.name;
  }

  get bytesOut(): number {
    return this.#tunnel?.bytesFromUpstream ?? 0;
  }

  /** `after`: error code of the previous attempt, or ''. */
  #try(after: string): void {
    const pool = this.#pool;
    const endpoint = pool.pick(this, this.#tried);
    if (endpoint !== null) {
      this.#dial(endpoint);
      return;
    }
    const { queue, metrics } = pool.load;
    if (pool.worthWaiting(this.#tried)) this.#place = queue.enter(this);
    if (this.#place !== null) {
      metrics.queued++;
      return;
    }
    if (pool.full) metrics.queueRefusals++;
    const { code } = pool.full ? POOL_FULL : NO_ENDPOINT;
    this.#giveUp(after === '' ? code : after);
  }

  /** The pool has no endpoint for it: continues with the fallback pool, or ends. */
  #giveUp(code: string): void {
    const { fallback, load } = this.#pool;
    // A local reply would need a protocol, and a relay knows none.
    if (!(fallback instanceof Pool)) {
      this.#end(code);
      return;
    }
    load.metrics.fallbacks++;
    this.#pool = fallback;
    this.#tried = [];
    this.#try('');
  }

  #dial(endpoint: EndpointState): void {
    this.#endpoint = endpoint;
    this.endpointAddress = endpoint.address.text;
    this.#trial = endpoint.enter();
    if (this.#tried.length > 0) {
      endpoint.metrics.retries++;
      this.#further = true;
      endpoint.load.retries++;
    }
    this.#dialing = endpoint.connections.connect(this.#pool.terms.connect, this);
  }

  /** It avoids endpoints that it has tried (Waiter). */
  get choosy(): boolean {
    return this.#tried.length > 0;
  }

  /** The pool may have room (Waiter). */
  admitted(): boolean {
    const endpoint = this.#pool.pick(this, this.#tried);
    if (endpoint === null && this.#pool.worthWaiting(this.#tried)) return false;
    this.#place = null;
    if (endpoint === null) this.#giveUp(NO_ENDPOINT.code);
    else this.#dial(endpoint);
    return true;
  }

  /** Its queue timeout has expired (Waiter). */
  gaveUp(): void {
    this.#place = null;
    this.#pool.load.metrics.queueTimeouts++;
    this.#giveUp(QUEUE_TIMEOUT.code);
  }

  onTransport(upstream: Transport): void {
    this.#dialing = null;
    this.errorDetail = '';
    this.#attempted();
    this.#endpoint!.health.connected();
    // A connection is all that a relay can prove, and the tunnel may stay open for hours.
    if (this.#trial) this.#endpoint!.trialOver();
    this.#trial = false;
    const { metrics, shared } = this.#context;
    metrics.tunnelsOpened++;
    metrics.tunnelsActive++;
    this.#tunnel = new Tunnel(this.#client, upstream, shared.deadlines, this.#pool.terms.tunnel, this);
    const early = this.#early;
    if (early !== null) {
      this.#early = null;
      upstream.write('', early, 0, early.length, '');
    }
    this.#tunnel.start();
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    const endpoint = this.#leave();
    endpoint.connectFailed(error);
    this.errorDetail = error.detail;
    this.#tried.push(endpoint);
    if (this.#mayRetry(error)) this.#try(error.code);
    else this.#giveUp(error.code);
  }

  /** Nothing has been sent yet, so any connection may be retried elsewhere, within the pool's settings. */
  #mayRetry(error: GatewayError): boolean {
    const { plan, load } = this.#pool;
    if (!mayRetry(error, plan.retries, this.#tried.length, true, false)) return false;
    if (load.mayRetry(plan.retries.budget, 1)) return true;
    load.metrics.retriesDenied++;
    return false;
  }

  onTunnelClosed(code: string): void {
    const { metrics } = this.#context;
    metrics.tunnelsActive--;
    metrics.tunnelBytesIn += this.bytesIn;
    metrics.tunnelBytesOut += this.bytesOut;
    this.#endpoint!.connections.released();
    this.#leave();
    this.#end(code);
  }

  /** A further attempt is over: it connected, or failed. */
  #attempted(): void {
    if (!this.#further) return;
    this.#further = false;
    this.#pool.load.retries--;
  }

  #leave(): EndpointState {
    const endpoint = this.#endpoint!;
    this.#endpoint = null;
    this.#attempted();
    endpoint.leave(this.#trial);
    return endpoint;
  }

  migrate(next: Successor): MigrationBlocker | null {
    const context = next.relay(this.#context.plan);
    if (context === null) return 'listener_gone';
    if (context.acl !== null && !context.acl.allows(this.clientAddress, this.connection.tls?.client ?? null))
      return 'denied_by_listener';
    const endpoint = this.#tunnel === null ? null : this.#endpoint;
    const choice = context.tlsRouter.choose(this.#opening);
    if (choice.action !== this.#choice.action || choice.pool === null) return 'routed_elsewhere';
    // A client that is passed through shows its certificate to the backend alone.
    const owesCertificate = choice.action === 'terminate' || this.#opening === 'unread';
    if (owesCertificate && !admitsSession(context, this.connection)) return 'denied_by_listener';
    const pool = findPool([choice.pool], this.#pool, endpoint);
    if (pool === null) return missing([choice.pool], this.#pool, endpoint);
    this.#context = context;
    this.#choice = choice;
    this.#pool = pool;
    if (this.#tunnel !== null) this.#tunnel.idle = pool.terms.tunnel;
    return null;
  }

  /** A relay knows no protocol that could announce the end. */
  leaving(): void {}

  abort({ error }: Termination): void {
    if (this.#tunnel !== null) this.#tunnel.close(error.code);
    else this.#end(error.code);
  }

  view(): LeaseView {
    const { clientAddress: client, bytesIn, bytesOut, endpointAddress: endpoint } = this;
    const listener = this.#context.plan.name;
    return { kind: 'tcp', client, listener, route: '', endpoint, startedAt: this.startedAt, bytesIn, bytesOut };
  }

  get held(): object {
    return this.#observer;
  }

  #end(error: string): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#dialing !== null) {
      this.#dialing.cancel();
      this.#leave();
    }
    this.#place?.leave();
    this.#client.handler = IGNORE;
    this.#client.reset();
    this.#context.lease.release(this);
    this.#observer.onRelayClosed(this, error);
  }

  /** While the relay dials the upstream it does not read the client, so only a broken client connection is noticed. */

  onBytes(): void {}
  onDrain(): void {}
  onEnd(): void {}

  onClose(code: string): void {
    this.#end(code);
  }
}
