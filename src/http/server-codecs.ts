/**
 * The protocols that clients may speak. Hot: called for each accepted connection.
 *
 * A connection gets the codec of the protocol that its transport has negotiated (ALPN, RFC 7301). A cleartext connection
 * gets that whose preface it begins with. All others get the default. No other file outside a codec's folder imports the
 * server side of a codec.
 */
import type { Connection } from '../net/connection.ts';
import type { Transport } from '../net/transport.ts';
import { readWrittenRequest } from './h1/written-request.ts';
import { RejectedConnection } from './h1/rejected-connection.ts';
import { Http1ServerConnection } from './h1/server.ts';
import type { ServerCodec } from './server-codec.ts';
import type { ConnectionHome, ServerConnection, ServerEnvironment } from './server-connection.ts';
import { UnidentifiedConnection } from './unidentified-connection.ts';

const HTTP1: ServerCodec = {
  name: 'HTTP/1.1',
  alpn: 'http/1.1',
  preface: null,
  accept: (transport, connection, home, environment) =>
    new Http1ServerConnection(transport, connection, home, environment),
  reject: (transport, answer, home, environment) => void new RejectedConnection(transport, answer, home, environment),
  read: readWrittenRequest,
};

export class ServerCodecs {
  readonly default: ServerCodec;
  readonly #all: readonly ServerCodec[];
  /** Those with a preface. */
  readonly #prefaced: readonly ServerCodec[];

  /** The first is the default. */
  constructor(first: ServerCodec, ...others: readonly ServerCodec[]) {
    this.default = first;
    this.#all = [first, ...others];
    this.#prefaced = this.#all.filter(({ preface }) => preface !== null);
  }

  /** The ALPN protocol IDs that a listener may negotiate, most wanted first. */
  get protocols(): readonly string[] {
    return this.#all.map(({ alpn }) => alpn);
  }

  /** The codec for a connection before its first byte. A server must not negotiate a protocol that has none. */
  of({ protocol }: Transport): ServerCodec {
    if (protocol === null) return this.default;
    return this.#all.find(({ alpn }) => alpn === protocol) ?? this.default;
  }

  /** Begins to serve a connection. */
  accept(
    transport: Transport,
    connection: Connection,
    home: ConnectionHome,
    environment: ServerEnvironment,
  ): ServerConnection {
    // RFC 9113 §3.2: what is encrypted negotiates its protocol.
    if (this.#prefaced.length > 0 && !transport.secure && transport.protocol === null)
      return new UnidentifiedConnection(transport, connection, home, environment, this.#prefaced, this.default);
    return this.of(transport).accept(transport, connection, home, environment);
  }
}

export const SERVER_CODECS = new ServerCodecs(HTTP1);
