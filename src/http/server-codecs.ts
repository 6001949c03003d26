/**
 * The protocols that clients may speak. Hot: called for each accepted connection.
 *
 * A connection gets the codec of the protocol that its transport has negotiated (ALPN, RFC 7301), otherwise the default
 * one. No other file outside a codec's folder imports the server side of a codec.
 */
import type { Transport } from '../net/transport.ts';
import { readWrittenRequest } from './h1/written-request.ts';
import { RejectedConnection } from './h1/rejected-connection.ts';
import { Http1ServerConnection } from './h1/server.ts';
import type { ServerCodec } from './server-codec.ts';

const HTTP1: ServerCodec = {
  name: 'HTTP/1.1',
  alpn: 'http/1.1',
  accept: (transport, connection, home, environment) =>
    new Http1ServerConnection(transport, connection, home, environment),
  reject: (transport, answer, home, environment) => void new RejectedConnection(transport, answer, home, environment),
  read: readWrittenRequest,
};

export const DEFAULT_CODEC = HTTP1;

const CODECS: readonly ServerCodec[] = [HTTP1];

/** The codec for a connection. A server must not negotiate a protocol that has none. */
export function codecOf({ protocol }: Transport): ServerCodec {
  if (protocol === null) return DEFAULT_CODEC;
  return CODECS.find(({ alpn }) => alpn === protocol) ?? DEFAULT_CODEC;
}
