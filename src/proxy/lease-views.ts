/** A view of an exchange, or of its tunnel, for the admin API. Cold. */
import type { Exchange } from '../http/exchange.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { LeaseView } from './listener-context.ts';

/** Bytes that a tunnel has moved. */
interface TunnelBytes {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** `listener`: its name in the config that the exchange runs on. */
export function viewOf(x: Exchange, listener: string, stream: ServerStream, tunnel: TunnelBytes | null): LeaseView {
  const { clientAddress: client, route, endpoint, startedAt } = x;
  return {
    kind: tunnel === null ? 'exchange' : 'tunnel',
    client,
    listener,
    route,
    endpoint,
    startedAt,
    bytesIn: tunnel?.bytesIn ?? x.bytesIn,
    bytesOut: tunnel?.bytesOut ?? stream.bytesOut,
  };
}
