/**
 * One attempt to have one endpoint answer: find or make a connection, send, keep the endpoint's books. Hot.
 *
 * Made by passage.ts, which is told of the response directly by the connection, and decides whether there is a next.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Http1ClientConnection } from '../http/h1/client.ts';
import type { Dialing } from '../net/dial.ts';
import type { Transport } from '../net/transport.ts';
import type { PoolTimeouts } from '../plan/types.ts';
import type { TransportTaker } from '../upstream/connections.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Passage } from './passage.ts';

export class Attempt implements TransportTaker {
  readonly endpoint: EndpointState;
  connection: Http1ClientConnection | null = null;
  /** The connection had served others before. */
  reused = false;
  readonly #passage: Passage;
  readonly #timeouts: PoolTimeouts;
  readonly #fresh: boolean;
  #text = '';
  #dialing: Dialing | null = null;
  #counted = false;
  #sentAt = 0;

  /** `fresh`: do not trust a pooled connection this time. */
  constructor(passage: Passage, endpoint: EndpointState, timeouts: PoolTimeouts, fresh: boolean) {
    this.#passage = passage;
    this.endpoint = endpoint;
    this.#timeouts = timeouts;
    this.#fresh = fresh;
  }

  start(text: string): void {
    const { connections } = this.endpoint;
    this.endpoint.active++;
    this.#counted = true;
    const pooled = this.#fresh ? null : connections.take();
    if (pooled !== null) {
      this.reused = true;
      this.#sentAt = this.#passage.x.startedAt;
      this.#send(pooled, text);
    } else {
      this.#text = text;
      this.#dialing = connections.connect(this.#timeouts.connect, this);
    }
  }

  onTransport(transport: Transport): void {
    this.#dialing = null;
    this.endpoint.succeeded();
    this.#sentAt = this.#passage.live.shared.clock.now();
    this.#send(this.endpoint.connections.speakHttp1(transport), this.#text);
  }

  onConnectFailed(error: GatewayError): void {
    this.#dialing = null;
    this.endpoint.failed(error);
    this.#passage.fail(error);
  }

  #send(connection: Http1ClientConnection, text: string): void {
    const { x, stream, offered } = this.#passage;
    this.connection = connection;
    const source = x.bodyLength === 0 ? null : stream;
    connection.start(text, x.method, source, x.bodyLength < 0, offered, this.#timeouts, this.#passage);
    if (source !== null) stream.readBody(connection);
  }

  /** The final head has come. */
  answered(status: number, now: number): void {
    const { metrics } = this.endpoint;
    this.endpoint.succeeded();
    metrics.responses[(status / 100) | 0]!++;
    metrics.firstByte.observe(now - this.#sentAt);
    this.endpoint.answeredAfter(now - this.#sentAt);
  }

  failed(error: GatewayError): void {
    if (this.connection !== null) this.endpoint.metrics.failures++;
    this.endpoint.lastError = error.code;
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
    this.endpoint.active--;
  }
}
