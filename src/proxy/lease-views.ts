/** What an exchange or the tunnel that it became looks like to people. Cold. */
import type { Exchange } from '../http/exchange.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { LeaseView } from './listener-context.ts';
import type { UpgradedTunnel } from './upgrade.ts';

/** `listener`: in the config that it runs on. */
export function viewOf(
  x: Exchange,
  listener: string,
  stream: ServerStream,
  tunnel: UpgradedTunnel | null,
  inner: boolean,
): LeaseView {
  const { clientAddress: client, route, endpoint, startedAt } = x;
  return {
    kind: inner ? 'fetch' : tunnel === null ? 'exchange' : 'tunnel',
    client,
    listener,
    route,
    endpoint,
    startedAt,
    bytesIn: tunnel?.bytesIn ?? x.bytesIn,
    bytesOut: tunnel?.bytesOut ?? stream.bytesOut,
  };
}
