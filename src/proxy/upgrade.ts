/**
 * An exchange that became a tunnel after the upstream's 101 (RFC 9110 §7.8): WebSocket and any other protocol. Hot.
 *
 * The tunnel keeps the exchange's lease for as long as it lives, and its place among the endpoint's and the listener's
 * connections.
 */
import type { Exchange } from '../http/exchange.ts';
import { giveFields } from '../http/fields-pool.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { UPGRADE, VIA } from '../http/known.ts';
import type { ResponseHead } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import { VIA_LINE, viaOnResponses } from '../http/via.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import { Tunnel, type TunnelObserver } from '../net/tunnel.ts';
import type { ListenerMetrics } from '../observe/metrics.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Attempt } from './attempt.ts';
import type { Shared, Termination } from './listener-context.ts';
import { WebSocketGoodbye } from './websocket-goodbye.ts';

/** The exchange that becomes a tunnel. */
export interface UpgradedExchange {
  readonly x: Exchange;
  readonly stream: ServerStream;
  /** Of the generation that it runs on; a migration replaces it. */
  readonly context: { readonly metrics: ListenerMetrics; readonly shared: Shared };
  /** Called once. */
  tunnelClosed(bytesOut: number): void;
}

export class UpgradedTunnel implements TunnelObserver {
  readonly #exchange: UpgradedExchange;
  readonly #attempt: Attempt;
  readonly #tunnel: Tunnel;
  /** null: the protocol is not WebSocket. */
  readonly #goodbye: WebSocketGoodbye | null;
  /** The reason of the goodbye that has been sent, or ''. */
  #ended = '';

  /** `head`: the upstream's 101. `idle` in ms. */
  constructor(
    exchange: UpgradedExchange,
    attempt: Attempt,
    { reason, fields }: ResponseHead,
    upstream: ByteStream,
    idle: number,
  ) {
    this.#exchange = exchange;
    this.#attempt = attempt;
    const protocol = fields.known(UPGRADE);
    stripHopByHop(fields, 101);
    fields.add('Connection', 'Upgrade');
    if (protocol !== undefined) fields.add('Upgrade', protocol);
    if (viaOnResponses(exchange.x.identity)) fields.addLine(VIA_LINE, VIA);
    // h1/client.ts refuses a 101 that the client has not offered.
    const client = exchange.stream.switchProtocols(reason, fields)!;
    const { metrics, shared } = exchange.context;
    metrics.tunnelsOpened++;
    metrics.tunnelsActive++;
    this.#tunnel = new Tunnel(client, upstream, shared.deadlines, idle, this);
    this.#goodbye = protocol?.toLowerCase() === 'websocket' ? new WebSocketGoodbye(this.#tunnel) : null;
    giveFields(fields);
    exchange.x.response = null;
    this.#tunnel.start();
  }

  get endpoint(): EndpointState {
    return this.#attempt.endpoint;
  }

  /** `idle` in ms, from the next byte on. */
  retime(idle: number): void {
    this.#tunnel.idle = idle;
  }

  get bytesIn(): number {
    return this.#tunnel.bytesFromClient;
  }

  get bytesOut(): number {
    return this.#tunnel.bytesFromUpstream;
  }

  abort({ error, closeCode }: Termination): void {
    if (closeCode === 0 || this.#goodbye === null) this.#tunnel.close(error.code);
    else if (this.#ended === '') {
      this.#ended = error.code;
      this.#goodbye.say(closeCode, error.code);
    }
  }

  onTunnelClosed(code: string): void {
    const { context, x } = this.#exchange;
    const { metrics } = context;
    const { bytesFromClient, bytesFromUpstream } = this.#tunnel;
    metrics.tunnelsActive--;
    metrics.tunnelBytesIn += bytesFromClient;
    metrics.tunnelBytesOut += bytesFromUpstream;
    this.#attempt.finished();
    x.bytesIn = bytesFromClient;
    x.error = this.#ended === '' ? code : this.#ended;
    this.#exchange.tunnelClosed(bytesFromUpstream);
  }
}
