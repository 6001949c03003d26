/**
 * Sends a complete request copy to the mirror's pool, and discards the response. Hot, where there is a mirror.
 *
 * It makes one attempt within the pool's own timeouts. It outlives the exchange that it was copied from, so it holds
 * its own lease and no reference to that exchange. It updates the endpoint's counters like any other request.
 */
import type { ClientStream } from '../http/client-stream.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { BodySource, ResponseHead, ResponseSink } from '../http/message.ts';
import type { OutgoingHead } from '../http/outgoing-head.ts';
import type { GatewayError } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Timed } from '../net/deadlines.ts';
import type { MirrorMetrics, MirrorResult } from '../observe/metrics.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Terms } from '../upstream/terms.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { Lease, Leaseholder, LeaseView, MigrationBlocker, Shared, Successor } from './listener-context.ts';

/** Where the copies of a route's requests go. */
export interface MirrorTarget {
  readonly route: string;
  readonly pool: Pool;
  readonly metrics: MirrorMetrics;
  readonly shared: Shared;
}

/** The body is buffered and bounded: it needs no flow control. */
const WHOLE: BodySource = { pause: () => {}, resume: () => {} };

/**
 * How many response bytes are read so that the connection can be reused. Reading more would slow down other requests.
 */
const MOST_READ = 1024 * 1024;

export class MirroredExchange implements AttemptOwner, ResponseSink, Leaseholder, Timed {
  deadline = Number.POSITIVE_INFINITY;
  leasePlace = NOWHERE;
  blocker: MigrationBlocker | null = null;
  timedPlace = NOWHERE;
  readonly outgoing: OutgoingHead;
  readonly #mirror: MirrorTarget;
  #lease: Lease;
  readonly #body: Buffer;
  readonly #trailers: Fields | null;
  #attempt: Attempt | null = null;
  #startedAt = 0;
  #read = 0;

  constructor(mirror: MirrorTarget, lease: Lease, outgoing: OutgoingHead, body: Buffer, trailers: Fields | null) {
    this.#mirror = mirror;
    this.#lease = lease;
    this.outgoing = outgoing;
    this.#body = body;
    this.#trailers = trailers;
  }

  /** `x`: the load balancer context; not kept. */
  start(x: Exchange): void {
    const { pool, shared } = this.#mirror;
    const { total } = pool.terms;
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
    this.#attempt = new Attempt(this, this, endpoint, false);
    this.#attempt.start(false);
  }

  // === for its attempt (AttemptOwner)

  get pool(): Pool {
    return this.#mirror.pool;
  }

  get terms(): Terms {
    return this.#mirror.pool.terms;
  }

  get bodySource(): BodySource | null {
    return this.outgoing.request.bodyLength === 0 ? null : WHOLE;
  }

  sendTime(): number {
    return this.#mirror.shared.clock.now();
  }

  sendBody(stream: ClientStream): void {
    stream.data(this.#body, 0, this.#body.length);
    stream.end(this.#trailers);
  }

  connectFailed(attempt: Attempt, error: GatewayError): void {
    attempt.failed(error);
    this.#finish('failed');
  }

  // === the response (ResponseSink)

  informational(): void {}

  head({ status, fields }: ResponseHead): void {
    giveFields(fields);
    this.#attempt!.answered(status, this.#mirror.shared.clock.now());
  }

  data(_: Buffer, start: number, end: number): boolean {
    // The read that exceeded the limit may deliver more data.
    if (this.#read > MOST_READ) return true;
    this.#read += end - start;
    if (this.#read > MOST_READ) this.#abort('answered');
    return true;
  }

  end(): void {
    this.#attempt!.completed();
    this.#finish('answered');
  }

  flush(): void {}

  /** The request offers no upgrade, so no server can accept one (client.ts ensures that). */
  switched({ fields }: ResponseHead, stream: ByteStream): void {
    giveFields(fields);
    stream.destroy();
    this.#finish('failed');
  }

  fail(error: GatewayError): void {
    this.#attempt!.failed(error);
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
    if (!pool.endpoints.some(({ state }) => state === this.#attempt?.endpoint)) return 'endpoint_gone';
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
      endpoint: this.#attempt?.endpoint.address.text ?? '',
      startedAt: this.#startedAt,
      bytesIn: this.#body.length,
      bytesOut: this.#read,
    };
  }

  abort(): void {
    this.#abort('cut');
  }

  #abort(result: MirrorResult): void {
    this.#attempt?.abort();
    this.#finish(result);
  }

  /** Called once: every other caller has been cancelled before. */
  #finish(result: MirrorResult): void {
    const { metrics, shared } = this.#mirror;
    metrics.active--;
    metrics.results[result]++;
    if (this.deadline !== Number.POSITIVE_INFINITY) shared.deadlines.delete(this);
    this.#attempt?.finished();
    this.#lease.release(this);
  }
}
