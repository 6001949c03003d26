/**
 * The protocols that the gateway can speak to upstreams. Cold to choose from.
 *
 * The only file that knows the client side of a codec. The protocol of a connection may be known only after its
 * handshake.
 */
import type { Deadlines } from '../net/deadlines.ts';
import type { Transport } from '../net/transport.ts';
import type { ClientConnection, ClientConnectionOwner } from './client-stream.ts';
import { Http1ClientConnection } from './h1/client.ts';
import { encodeRequest } from './h1/request-encoder.ts';
import type { OutgoingHead } from './outgoing-head.ts';
import type { ResponsesPlan } from '../plan/types/responses.ts';

/** Makes a connection of a transport whose handshake, if any, is over. */
export function clientConnection(
  transport: Transport,
  owner: ClientConnectionOwner,
  deadlines: Deadlines,
  rules: ResponsesPlan,
): ClientConnection {
  return new Http1ClientConnection(transport, owner, deadlines, rules);
}

/** The head as text, for people. Cold. */
export function requestText(head: OutgoingHead, host: string | null): string {
  return encodeRequest(head, host);
}
