/** Puts TLS over a connection: over its handle, or with Node's own sockets where there are no handles. Hot. */
import { connect, TLSSocket } from 'node:tls';
import { HandleTransport } from '../handle-transport.ts';
import { SocketTransport } from '../socket-transport.ts';
import { IGNORE } from '../byte-stream.ts';
import type { Transport } from '../transport.ts';
import type { Handshake, HandshakeObserver, TlsOptions } from './handshake.ts';
import { type TlsInfo, tlsErrorCode } from './tls-info.ts';
import { TlsTransport } from './tls-transport.ts';

/**
 * Starts a handshake. `transport` is closed by that, and its connection belongs to the handshake. `early`: bytes that
 * have been read from it already, or null. The observer may be called before this returns.
 */
export function startTls(
  transport: Transport,
  early: Buffer | null,
  options: TlsOptions,
  observer: HandshakeObserver,
): Handshake {
  if (transport instanceof HandleTransport) {
    const addresses = transport.addresses();
    const secured = new TlsTransport(transport.giveHandle(), addresses, options, observer);
    secured.start(early);
    return { cancel: () => secured.reset() };
  }
  return startOnSocket(transport as SocketTransport, early, options, observer);
}

function startOnSocket(
  transport: SocketTransport,
  early: Buffer | null,
  options: TlsOptions,
  observer: HandshakeObserver,
): Handshake {
  const { context, server, alpn, serverName, session, clientCertificate } = options;
  const socket = transport.giveSocket();
  if (early !== null) socket.unshift(early);
  const common = { secureContext: context, ...(alpn === null ? {} : { ALPNProtocols: alpn }) };
  const secured = server
    ? new TLSSocket(socket, {
        ...common,
        isServer: true,
        requestCert: clientCertificate !== 'none',
        // The client must have one.
        rejectUnauthorized: clientCertificate === 'required',
      })
    : connect({
        ...common,
        socket,
        servername: serverName,
        rejectUnauthorized: false,
        ...(session === null ? {} : { session }),
      });
  let over = false;
  const failed = (code: string): void => {
    if (over) return;
    over = true;
    secured.destroy();
    observer.onHandshakeFailed(code);
  };
  const broke = (error: Error): void => failed(tlsErrorCode(error));
  const closed = (): void => failed('ECONNRESET');
  Object.assign(secured, { verifyError: () => (secured as unknown as { readonly ssl: TlsInfo }).ssl.verifyError() });
  secured.on('error', broke);
  socket.on('error', broke);
  secured.on('close', closed);
  secured.on('session', (one: Buffer) => observer.onSession?.(one));
  secured.once('secure', () => {
    if (over) return;
    over = true;
    secured.off('error', broke).off('close', closed);
    const made = new SocketTransport(secured, IGNORE, socket);
    observer.onSecured(made, secured as unknown as TlsInfo);
  });
  return {
    cancel: () => {
      over = true;
      secured.destroy();
    },
  };
}
