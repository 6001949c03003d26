/**
 * An exchange that became a tunnel after the upstream's 101 (RFC 9110 §7.8): WebSocket and any other protocol. Hot.
 *
 * The tunnel keeps the exchange's lease for as long as it lives, and its place among the endpoint's and the listener's
 * connections.
 */
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import { stripHopByHop } from '../http/hop-by-hop.ts';
import { UPGRADE } from '../http/known.ts';
import { VIA_LINE, viaOnResponses } from '../http/via.ts';
import type { Transport } from '../net/transport.ts';
import { Tunnel, type TunnelObserver } from '../net/tunnel.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { Attempt } from './attempt.ts';
import type { Termination } from './listener-context.ts';
import type { RequestHandler } from './request-handler.ts';
import { WebSocketGoodbye } from './websocket-goodbye.ts';

export class UpgradedTunnel implements TunnelObserver {
  readonly #handler: RequestHandler;
  readonly #attempt: Attempt;
  readonly #tunnel: Tunnel;
  readonly #closed: () => void;
  /** null: the protocol is not WebSocket. */
  readonly #goodbye: WebSocketGoodbye | null;
  /** The reason of the goodbye that has been sent, or ''. */
  #ended = '';

  /** `reason` and `fields` come from the 101; `early` is data that the upstream sent right behind it; `idle` in ms. */
  constructor(
    handler: RequestHandler,
    attempt: Attempt,
    reason: string,
    fields: Fields,
    upstream: Transport,
    early: Buffer,
    idle: number,
  ) {
    this.#handler = handler;
    this.#attempt = attempt;
    const protocol = fields.known(UPGRADE);
    stripHopByHop(fields, 101);
    fields.add('Connection', 'Upgrade');
    if (protocol !== undefined) fields.add('Upgrade', protocol);
    if (viaOnResponses(handler.x.identity)) fields.addLine(VIA_LINE);
    // h1/client.ts refuses a 101 that the client has not offered.
    const client = handler.stream.switchProtocols(reason, fields)!;
    this.#closed = client.closed;
    const { metrics, shared } = handler.context;
    metrics.tunnelsOpened++;
    metrics.tunnelsActive++;
    this.#tunnel = new Tunnel(client.transport, upstream, shared.deadlines, idle, this);
    this.#goodbye = protocol?.toLowerCase() === 'websocket' ? new WebSocketGoodbye(this.#tunnel) : null;
    this.#tunnel.start(client.early, early);
    giveFields(fields);
    handler.x.response = null;
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

  cut({ error, closeCode }: Termination): void {
    if (closeCode === 0 || this.#goodbye === null) this.#tunnel.close(error.code);
    else if (this.#ended === '') {
      this.#ended = error.code;
      this.#goodbye.say(closeCode, error.code);
    }
  }

  onTunnelClosed(code: string): void {
    const { metrics } = this.#handler.context;
    const { bytesFromClient, bytesFromUpstream } = this.#tunnel;
    metrics.tunnelsActive--;
    metrics.tunnelBytesIn += bytesFromClient;
    metrics.tunnelBytesOut += bytesFromUpstream;
    this.#attempt.endpoint.connections.released();
    this.#attempt.finished();
    this.#closed();
    this.#handler.tunnelClosed(bytesFromClient, bytesFromUpstream, this.#ended === '' ? code : this.#ended);
  }
}
