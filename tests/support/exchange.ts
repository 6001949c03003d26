/** A real Exchange as a server codec makes it, without a socket. */
import { Exchange } from '../../src/http/exchange.ts';
import { Fields } from '../../src/http/fields.ts';
import { HTTP_1_1 } from '../../src/http/message.ts';
import { Connection } from '../../src/net/connection.ts';

export interface ExchangeParts {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly query?: string;
  readonly client?: string;
  readonly fields?: readonly (readonly [string, string])[];
}

export function exchange(parts: ExchangeParts = {}): Exchange {
  const { method = 'GET', host = 'example.com', path = '/', query = '', client = '192.0.2.1', fields = [] } = parts;
  const addresses = { remoteAddress: client, remotePort: 40_000, localAddress: '192.0.2.9', localPort: 80 };
  const connection = new Connection(addresses, 'web', false);
  const target = { authority: host, host, path, routedPath: path, receivedPath: '', query };
  return new Exchange(connection, method, path + query, target, HTTP_1_1, Fields.of(fields), 0, 0);
}

/** What fields are left, as lines. */
export function linesOf(fields: Fields): string[] {
  const lines: string[] = [];
  fields.forEach((name, value) => lines.push(`${name}: ${value}`));
  return lines;
}
