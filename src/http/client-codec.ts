/** What the client side of a protocol offers to an endpoint's connections. Hot: called for each new connection. */
import type { Deadlines } from '../net/deadlines.ts';
import type { Transport } from '../net/transport.ts';
import type { ResponsesPlan } from '../plan/types/responses.ts';
import type { ClientConnection, ClientConnectionOwner } from './client-stream.ts';

export interface ClientCodec {
  readonly name: string;
  /** Makes a connection of a transport whose handshake, if any, is over. */
  connect(
    transport: Transport,
    owner: ClientConnectionOwner,
    deadlines: Deadlines,
    rules: ResponsesPlan,
  ): ClientConnection;
}
