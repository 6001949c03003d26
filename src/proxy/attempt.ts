/**
 * One attempt at one endpoint: takes or dials a connection, sends the request, updates the endpoint's counters. Hot.
 *
 * Its owner decides which endpoint, receives the response, and tells the attempt what has become of it. Requests
 * (upstream-request.ts) and mirrored copies (mirrored-exchange.ts) are sent in the same way.
 */
import type { GatewayError } from '../kit/errors.ts';
import { serverNameOf } from '../http/authority.ts';
import type { ClientStream } from '../http/client-stream.ts';
import type { BodySource, ResponseSink } from '../http/message.ts';
import type { OutgoingHead } from '../http/outgoing-head.ts';
import { statusClass } from '../http/status.ts';
import type { Dialing } from '../net/dial.ts';
import type { StreamTaker } from '../upstream/stream-dial.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Terms } from '../upstream/terms.ts';
import { wasStale } from './retry.ts';

export interface AttemptOwner {
  readonly outgoing: OutgoingHead;
  readonly pool: Pool;
  readonly terms: Terms;
  /** The source of the request body; null: there is none. */
  readonly bodySource: BodySource | null;
  /** Monotonic ms. `reused`: no time has passed in this attempt. */
  sendTime(reused: boolean): number;
  /** The head has been sent: sends the body, if there is one. */
  sendBody(stream: ClientStream): void;
  /** No connection could be made. */
  connectFailed(attempt: Attempt, error: GatewayError): void;
}

export class Attempt implements StreamTaker {
  readonly endpoint: EndpointState;
  readonly serverName: string;
  /** null: there is no connection yet. */
  stream: ClientStream | null = null;
  /** The receiver of the response. */
  sink: ResponseSink;
  /** The connection has carried requests before. */
  reused = false;
  readonly #owner: AttemptOwner;
  /** It is not the exchange's first attempt. */
  readonly #further: boolean;
  /** It is a trial: it probes whether the endpoint has recovered. */
  #trial = false;
  /** The response head counts as a success. */
  #fine = false;
  #dialing: Dialing | null = null;
  #counted = false;
  #sentAt = 0;

  constructor(owner: AttemptOwner, sink: ResponseSink, endpoint: EndpointState, further: boolean) {
    this.#owner = owner;
    this.sink = sink;
    this.endpoint = endpoint;
    this.serverName = owner.pool.tlsByHost
      ? serverNameOf(hostFor(owner.pool, endpoint) ?? owner.outgoing.authority)
      : '';
    this.#further = further;
  }

  /** `fresh`: on a new connection, and not on a pooled one. */
  start(fresh: boolean): void {
    const { endpoint } = this;
    this.#trial = endpoint.enter();
    this.#counted = true;
    if (this.#further) endpoint.load.retries++;
    this.#dialing = endpoint.connections.acquire(this, this.#owner.terms.connect, fresh);
  }

  onStream(stream: ClientStream, reused: boolean): void {
    const { outgoing, bodySource, pool, terms } = this.#owner;
    this.#dialing = null;
    this.stream = stream;
    this.reused = reused;
    this.#sentAt = this.#owner.sendTime(reused);
    stream.start(outgoing, hostFor(pool, this.endpoint), bodySource, terms, this.sink);
    if (bodySource !== null) this.#owner.sendBody(stream);
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.#owner.connectFailed(this, error);
  }

  /** The final response head has arrived. `now`: monotonic ms. */
  answered(status: number, now: number): void {
    const { metrics } = this.endpoint;
    const ms = now - this.#sentAt;
    metrics.responses[statusClass(status)]!++;
    metrics.firstByte.observe(ms);
    this.#fine = this.endpoint.answered(status, ms);
  }

  /** The whole response has arrived. */
  completed(): void {
    if (this.#fine) this.endpoint.completed();
  }

  failed(error: GatewayError): void {
    const { endpoint } = this;
    if (this.stream !== null && !wasStale(error, this.reused)) {
      endpoint.metrics.failures++;
      if (error.source === 'upstream') endpoint.health.exchangeFailed(error.code, error.detail);
    }
    this.finished();
  }

  /** The response is discarded: another endpoint gets the request. */
  declined(): void {
    this.stream!.discard();
    this.finished();
  }

  /** The exchange no longer needs this attempt. */
  abort(): void {
    this.#dialing?.cancel();
    this.#dialing = null;
    this.stream?.abort();
    this.finished();
  }

  finished(): void {
    if (!this.#counted) return;
    this.#counted = false;
    if (this.#further) this.endpoint.load.retries--;
    this.endpoint.leave(this.#trial);
  }
}

/** The authority that this endpoint of the pool gets; null: the client's. */
export function hostFor({ plan: { host } }: Pool, endpoint: EndpointState): string | null {
  if (host.type === 'preserve') return null;
  return host.type === 'fixed' ? host.host : endpoint.host;
}
