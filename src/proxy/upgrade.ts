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
import type { ByteStream } from '../net/byte-stream.ts';
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
  /** null: the protocol is not WebSocket. */
  readonly #goodbye: WebSocketGoodbye | null;
  /** The reason of the goodbye that has been sent, or ''. */
  #ended = '';

  /** `reason` and `fields` come from the upstream's 101; `idle` in ms. */
  constructor(
    handler: RequestHandler,
    attempt: Attempt,
    reason: string,
    fields: Fields,
    upstream: ByteStream,
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
    const { metrics, shared } = handler.context;
    metrics.tunnelsOpened++;
    metrics.tunnelsActive++;
    this.#tunnel = new Tunnel(client, upstream, shared.deadlines, idle, this);
    this.#goodbye = protocol?.toLowerCase() === 'websocket' ? new WebSocketGoodbye(this.#tunnel) : null;
    giveFields(fields);
    handler.x.response = null;
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
    this.#attempt.finished();
    this.#handler.tunnelClosed(bytesFromClient, bytesFromUpstream, this.#ended === '' ? code : this.#ended);
  }
}
