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

/** By ALPN protocol (RFC 7301), most wanted first. */
const BY_PROTOCOL: ReadonlyMap<string, ClientCodec> = new Map([['http/1.1', DEFAULT_CLIENT_CODEC]]);

/** The protocols to offer in a TLS handshake. */
export const CLIENT_PROTOCOLS: readonly string[] = [...BY_PROTOCOL.keys()];

/** `protocol`: as negotiated in the handshake; null: there was none, or the server does not negotiate. */
export function clientCodecOf(protocol: string | null): ClientCodec {
  return protocol === null ? DEFAULT_CLIENT_CODEC : (BY_PROTOCOL.get(protocol) ?? DEFAULT_CLIENT_CODEC);
}

/** The head as text, for people. Cold. */
export function requestText(head: OutgoingHead, host: string | null): string {
  return encodeRequest(head, host);
}
