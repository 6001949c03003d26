/**
 * One attempt to have one endpoint answer: find or make a connection, send, keep the endpoint's books. Hot.
 *
 * Made by forwarding.ts, which decides whether there is a next; the request handler is told of the response directly.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Http1ClientConnection } from '../http/h1/client.ts';
import type { ResponseSink } from '../http/message.ts';
import { EXPECT } from '../http/known.ts';
import { statusClass } from '../http/status.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { TransportTaker } from '../upstream/connections.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Forwarding } from './forwarding.ts';
import { textFor } from './request-text.ts';
import { wasStale } from './retry.ts';

export class Attempt implements TransportTaker {
  readonly endpoint: EndpointState;
  connection: Http1ClientConnection | null = null;
  /** Who takes the response. */
  sink: ResponseSink;
  /** The connection had served others before. */
  reused = false;
  readonly #forwarding: Forwarding;
  readonly #fresh: boolean;
  /** It is not the exchange's first. */
  readonly #further: boolean;
  /** It tries whether the endpoint is well. */
  #trial = false;
  /** The head of its response was fine. */
  #fine = false;
  #dialing: Dialing | null = null;
  #counted = false;
  #sentAt = 0;

  /** `fresh`: do not trust a pooled connection this time. */
  constructor(forwarding: Forwarding, endpoint: EndpointState, further: boolean, fresh: boolean) {
    this.#forwarding = forwarding;
    this.endpoint = endpoint;
    this.sink = forwarding.passage;
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
      const { prompt, passage } = this.#forwarding;
      this.#sentAt = prompt ? passage.x.startedAt : passage.live.shared.clock.now();
      this.#send(pooled);
    } else this.#dialing = connections.connect(this.#forwarding.terms.connect, this);
  }

  onTransport(transport: Transport): void {
    this.#dialing = null;
    this.endpoint.health.connected();
    this.#sentAt = this.#forwarding.passage.live.shared.clock.now();
    this.#send(this.endpoint.connections.speakHttp1(transport));
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.endpoint.connectFailed(error);
    this.#forwarding.attemptFailed(this, error);
  }

  #send(connection: Http1ClientConnection): void {
    const { passage, text, offered, body, keptBody, pool } = this.#forwarding;
    const { x, stream } = passage;
    this.connection = connection;
    const source = x.bodyLength === 0 ? null : stream;
    const head = textFor(text, pool, this.endpoint);
    connection.start(head, x.method, source, x.bodyLength < 0, offered, this.#forwarding.terms, this.sink);
    // Of a body that is kept, what has come before is at hand: it has not been waited for.
    if (source !== null && x.minor !== 0 && x.fields.has(EXPECT)) connection.awaitContinue();
    if (keptBody !== null) keptBody.sendTo(connection);
    else if (source !== null) body.readBody(connection);
  }

  /** The final head has come. */
  answered(status: number, now: number): void {
    const { metrics } = this.endpoint;
    const ms = now - this.#sentAt;
    metrics.responses[statusClass(status)]!++;
    metrics.firstByte.observe(ms);
    this.#fine = this.endpoint.answered(status, ms);
  }

  /** The whole response has come. */
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

  /** Its answer is not wanted: another endpoint is asked. */
  declined(): void {
    this.connection!.discard();
    this.finished();
  }

  /** The exchange has no more use for it. */
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
