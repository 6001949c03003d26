/**
 * Sends a complete request copy to the mirror's pool, and discards the response. Hot, where there is a mirror.
 *
 * It makes one attempt within the pool's own timeouts. It outlives the exchange that it was copied from, so it holds
 * its own lease and no reference to that exchange. It updates the endpoint's counters like any other request.
 */
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { Http1ClientConnection } from '../http/h1/client.ts';
import type { BodySource, ResponseHead, ResponseSink } from '../http/message.ts';
import { statusClass } from '../http/status.ts';
import type { GatewayError } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Timed } from '../net/deadlines.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { MirrorResult } from '../observe/metrics.ts';
import type { TransportTaker } from '../upstream/connections.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Lease, Leaseholder, LeaseView, MigrationBlocker, Successor } from './listener-context.ts';
import type { Mirror } from './mirror.ts';
import { textFor } from './request-text.ts';
import { wasStale } from './retry.ts';

/** The body is buffered and bounded: it needs no flow control. */
const WHOLE: BodySource = { pause: () => {}, resume: () => {} };

/**
 * How many response bytes are read so that the connection can be reused. Reading more would slow down other requests.
 */
const MOST_READ = 1024 * 1024;

export class MirroredExchange implements ResponseSink, TransportTaker, Leaseholder, Timed {
  deadline = Number.POSITIVE_INFINITY;
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  timedPlace = NOWHERE;
  readonly #mirror: Mirror;
  #lease: Lease;
  readonly #text: string;
  readonly #method: string;
  /** Length of the body: 0 none, -1 chunked. */
  readonly #bodyLength: number;
  readonly #body: Buffer;
  readonly #trailers: Fields | null;
  #endpoint: EndpointState | null = null;
  #trial = false;
  #dialing: Dialing | null = null;
  #connection: Http1ClientConnection | null = null;
  #reused = false;
  #sentAt = 0;
  #startedAt = 0;
  /** The response head counts as a success. */
  #fine = false;
  #read = 0;

  constructor(
    mirror: Mirror,
    lease: Lease,
    text: string,
    { method, bodyLength }: Exchange,
    body: Buffer,
    trailers: Fields | null,
  ) {
    this.#mirror = mirror;
    this.#lease = lease;
    this.#text = text;
    this.#method = method;
    this.#bodyLength = bodyLength;
    this.#body = body;
    this.#trailers = trailers;
  }

  /** `x`: the load balancer context; not kept. */
  start(x: Exchange): void {
    const { pool, shared } = this.#mirror;
    const { connect, total } = pool.terms;
    this.#lease.lease(this);
    this.#startedAt = shared.clock.now();
    const endpoint = pool.pick(x);
    if (endpoint === null) {
      this.#finish(pool.full ? 'dropped' : 'failed');
      return;
    }
    if (total < Number.POSITIVE_INFINITY) {
      this.deadline = shared.deadlines.now + total;
      shared.deadlines.add(this);
    }
    this.#endpoint = endpoint;
    this.#trial = endpoint.enter();
    const pooled = endpoint.connections.take();
    this.#reused = pooled !== null;
    if (pooled !== null) this.#send(pooled);
    else this.#dialing = endpoint.connections.connect(connect, this);
  }

  onTransport(transport: Transport): void {
    this.#dialing = null;
    this.#endpoint!.health.connected();
    this.#send(this.#endpoint!.connections.speakHttp1(transport));
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.#endpoint!.connectFailed(error);
    this.#finish('failed');
  }

  #send(connection: Http1ClientConnection): void {
    const length = this.#bodyLength;
    const { pool, shared } = this.#mirror;
    this.#connection = connection;
    this.#sentAt = shared.clock.now();
    const text = textFor(this.#text, pool, this.#endpoint!);
    connection.start(text, this.#method, length === 0 ? null : WHOLE, length < 0, '', pool.terms, this);
    if (length === 0) return;
    connection.data(this.#body, 0, this.#body.length);
    connection.end(this.#trailers);
  }

  // === the response (ResponseSink)

  informational(): void {}

  head({ status, fields }: ResponseHead): void {
    giveFields(fields);
    const endpoint = this.#endpoint!;
    const ms = this.#mirror.shared.clock.now() - this.#sentAt;
    endpoint.metrics.responses[statusClass(status)]!++;
    endpoint.metrics.firstByte.observe(ms);
    this.#fine = endpoint.answered(status, ms);
  }

  data(_: Buffer, start: number, end: number): boolean {
    // The read that exceeded the limit may deliver more data.
    if (this.#read > MOST_READ) return true;
    this.#read += end - start;
    if (this.#read > MOST_READ) this.#abort('answered');
    return true;
  }

  end(): void {
    if (this.#fine) this.#endpoint!.completed();
    this.#finish('answered');
  }

  flush(): void {}

  /** The request offers no upgrade, so no server can accept one (client.ts ensures that). */
  switched({ fields }: ResponseHead, transport: Transport): void {
    giveFields(fields);
    transport.destroy();
    this.#endpoint!.connections.released();
    this.#finish('failed');
  }

  fail(error: GatewayError): void {
    const endpoint = this.#endpoint!;
    if (!wasStale(error, this.#reused)) {
      endpoint.metrics.failures++;
      if (error.source === 'upstream') endpoint.health.exchangeFailed(error.code);
    }
    this.#finish('failed');
  }

  // === how it is aborted

  /** Its total timeout has expired (Timed). */
  onDeadline(): void {
    this.#abort('failed');
  }

  /** An endpoint already has the request: only this endpoint has to be there still. */
  migrate(next: Successor): MigrationBlocker | null {
    const pool = next.pool(this.#mirror.pool.name);
    if (pool === null) return 'pool_changed';
    if (!pool.endpoints.some(({ state }) => state === this.#endpoint)) return 'endpoint_gone';
    this.#lease = next;
    return null;
  }

  readonly held = null;

  leaving(): void {}

  view(): LeaseView {
    return {
      kind: 'mirror',
      client: '',
      listener: '',
      route: this.#mirror.route,
      endpoint: this.#endpoint?.address.text ?? '',
      startedAt: this.#startedAt,
      bytesIn: this.#body.length,
      bytesOut: this.#read,
    };
  }

  abort(): void {
    this.#abort('cut');
  }

  #abort(result: MirrorResult): void {
    this.#dialing?.cancel();
    this.#connection?.abort();
    this.#finish(result);
  }

  /** Called once: every other caller has been cancelled before. */
  #finish(result: MirrorResult): void {
    const { metrics, shared } = this.#mirror;
    metrics.active--;
    metrics.results[result]++;
    if (this.deadline !== Number.POSITIVE_INFINITY) shared.deadlines.delete(this);
    this.#endpoint?.leave(this.#trial);
    this.#lease.release(this);
  }
}
