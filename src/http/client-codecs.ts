/**
 * The protocols that the gateway can speak to upstreams. Cold to choose from.
 *
 * The only file that knows the client side of a codec. The protocol of a connection may be known only after its
 * handshake.
 */
import type { ClientCodec } from './client-codec.ts';
import { Http1ClientConnection } from './h1/client.ts';
import { encodeRequest } from './h1/request-encoder.ts';
import type { OutgoingHead } from './outgoing-head.ts';

export const DEFAULT_CLIENT_CODEC: ClientCodec = {
  name: 'HTTP/1.1',
  connect: (transport, owner, deadlines, rules) => new Http1ClientConnection(transport, owner, deadlines, rules),
};

/** The head as text, for people. Cold. */
export function requestText(head: OutgoingHead, host: string | null): string {
  return encodeRequest(head, host);
}
