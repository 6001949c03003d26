/** What an exchange or a relay says in the access log. Hot, when the log is on. */
import type { Exchange } from '../http/exchange.ts';
import type { AccessLog } from '../observe/access-log.ts';
import type { Relay } from './relay.ts';

/** `now`: monotonic ms. */
export function logExchange(log: AccessLog, x: Exchange, now: number): void {
  log.write({
    kind: 'http',
    generation: x.generation,
    listener: x.connection.listener,
    client: x.clientAddress,
    clientPort: x.connection.clientPort,
    route: x.route,
    endpoint: x.endpoint,
    method: x.method,
    host: x.authority,
    target: x.target,
    minor: x.minor,
    status: x.status,
    bytesIn: x.bytesIn,
    bytesOut: x.bytesOut,
    duration: now - x.startedAt,
    upstream: x.upstreamAt === 0 ? 0 : x.upstreamAt - x.startedAt,
    error: x.error,
    userAgent: x.fields.get('user-agent') ?? '',
  });
}

export function logRelay(log: AccessLog, relay: Relay, generation: number, duration: number, error: string): void {
  const { connection } = relay;
  log.write({
    kind: 'tcp',
    generation,
    listener: connection.listener,
    client: connection.clientAddress,
    clientPort: connection.clientPort,
    route: '',
    endpoint: relay.endpointAddress,
    method: '',
    host: '',
    target: '',
    minor: 0,
    status: 0,
    bytesIn: relay.bytesIn,
    bytesOut: relay.bytesOut,
    duration,
    upstream: 0,
    error,
    userAgent: '',
  });
}
