/**
 * One attempt at one endpoint: takes or dials a connection, sends the request, updates the endpoint's counters. Hot.
 *
 * upstream-request.ts creates it and decides whether another follows; the response goes directly to the request
 * handler.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Http1ClientConnection } from '../http/h1/client.ts';
import { HTTP_1_0, type ResponseSink } from '../http/message.ts';
import { EXPECT } from '../http/known.ts';
import { statusClass } from '../http/status.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { TransportTaker } from '../upstream/connections.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { UpstreamRequest } from './upstream-request.ts';
import { textFor } from './request-text.ts';
import { wasStale } from './retry.ts';

export class Attempt implements TransportTaker {
  readonly endpoint: EndpointState;
  connection: Http1ClientConnection | null = null;
  /** The receiver of the response. */
  sink: ResponseSink;
  /** The connection has carried requests before. */
  reused = false;
  readonly #upstream: UpstreamRequest;
  readonly #fresh: boolean;
  /** It is not the exchange's first attempt. */
  readonly #further: boolean;
  /** It is a trial: it probes whether the endpoint has recovered. */
  #trial = false;
  /** The response head counts as a success. */
  #fine = false;
  #dialing: Dialing | null = null;
  #counted = false;
  #sentAt = 0;

  /** `fresh`: dial, and do not use a pooled connection. */
  constructor(upstream: UpstreamRequest, endpoint: EndpointState, further: boolean, fresh: boolean) {
    this.#upstream = upstream;
    this.endpoint = endpoint;
    this.sink = upstream.handler;
    this.#further = further;
    this.#fresh = fresh;
  }

  start(): void {
    const { endpoint } = this;
    const { connections } = endpoint;
    this.#trial = endpoint.enter();
    this.#counted = true;
    if (this.#further) endpoint.load.retries++;
    const pooled = this.#fresh ? null : connections.take();
    if (pooled !== null) {
      this.reused = true;
      const { prompt, handler } = this.#upstream;
      this.#sentAt = prompt ? handler.x.startedAt : handler.context.shared.clock.now();
      this.#send(pooled);
    } else this.#dialing = connections.connect(this.#upstream.terms.connect, this);
  }

  onTransport(transport: Transport): void {
    this.#dialing = null;
    this.endpoint.health.connected();
    this.#sentAt = this.#upstream.handler.context.shared.clock.now();
    this.#send(this.endpoint.connections.speakHttp1(transport));
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.endpoint.connectFailed(error);
    this.#upstream.attemptFailed(this, error);
  }

  #send(connection: Http1ClientConnection): void {
    const { handler, text, offered, body, replayBody: keptBody, pool } = this.#upstream;
    const { x } = handler;
    this.connection = connection;
    const source = x.bodyLength === 0 ? null : body;
    const head = textFor(text, pool, this.endpoint);
    connection.start(head, x.method, source, x.bodyLength < 0, offered, this.#upstream.terms, this.sink);
    // A replayed body is buffered already, so the attempt does not wait for 100 (Continue).
    if (source !== null && x.version !== HTTP_1_0 && x.fields.has(EXPECT)) connection.awaitContinue();
    if (keptBody !== null) keptBody.sendTo(connection);
    else if (source !== null) body.readBody(connection);
  }

  /** The final response head has arrived. */
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
    if (this.connection !== null && !wasStale(error, this.reused)) {
      endpoint.metrics.failures++;
      if (error.source === 'upstream') endpoint.health.exchangeFailed(error.code);
    }
    this.finished();
  }

  /** The response is discarded: another endpoint gets the request. */
  declined(): void {
    this.connection!.discard();
    this.finished();
  }

  /** The exchange no longer needs this attempt. */
  abort(): void {
    this.#dialing?.cancel();
    this.#dialing = null;
    this.connection?.abort();
    this.finished();
  }

  finished(): void {
    if (!this.#counted) return;
    this.#counted = false;
    if (this.#further) this.endpoint.load.retries--;
    this.endpoint.leave(this.#trial);
  }
}
