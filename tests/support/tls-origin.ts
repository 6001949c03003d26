/** Origins that speak HTTPS, or any protocol over TLS, through Node's own TLS; they keep what they learn of handshakes. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import tls from 'node:tls';
import { pem } from './certificates.ts';

export interface TlsOrigin extends AsyncDisposable {
  readonly port: number;
  /** Connections so far, whatever their handshake. */
  readonly accepted: number;
  /** Each connection whose handshake has succeeded. */
  readonly connections: readonly {
    readonly socket: tls.TLSSocket;
    readonly name: string;
    readonly resumed: boolean;
    readonly version: string;
  }[];
  /** The codes of failed handshakes. */
  readonly failures: readonly string[];
  readonly server: tls.Server;
  /** Answers requests from now on. */
  answer: http.RequestListener;
}

/**
 * `certificate`: the name of its files. Answers requests with its certificate's name, unless `talk` gets the connections.
 */
export async function tlsOrigin(
  certificate: string,
  options: tls.TlsOptions = {},
  talk: ((socket: tls.TLSSocket) => void) | null = null,
): Promise<TlsOrigin> {
  const connections: { socket: tls.TLSSocket; name: string; resumed: boolean; version: string }[] = [];
  const failures: string[] = [];
  const sockets = new Set<net.Socket>();
  const speaker = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) =>
    origin.answer(request, response),
  );
  speaker.on('clientError', (_, socket) => socket.destroy());
  const pair = { cert: pem(`${certificate}.pem`), key: pem(`${certificate}.key`) };
  const server = tls.createServer({ ...pair, ALPNProtocols: ['http/1.1'], ...options }, (socket) => {
    const name = typeof socket.servername === 'string' ? socket.servername : '';
    connections.push({ socket, name, resumed: socket.isSessionReused(), version: socket.getProtocol() ?? '' });
    socket.on('error', () => {});
    if (talk !== null) talk(socket);
    else speaker.emit('connection', socket);
  });
  speaker.on('upgrade', (request, socket, head) => server.emit('upgrade', request, socket, head));
  let accepted = 0;
  server.on('connection', (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => failures.push(error.code ?? ''));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin: TlsOrigin = {
    port: (server.address() as net.AddressInfo).port,
    get accepted() {
      return accepted;
    },
    connections,
    failures,
    server,
    answer: (_, response) => response.end(certificate),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return origin;
}
