/**
 * A listening socket that hands out Transports. Cold to open, hot to accept.
 *
 * Called by runtime/listeners.ts. Opening may fail with the system's error (EADDRINUSE, EACCES, …). Connections that
 * arrive before `serve` is called wait in the kernel's backlog: nothing is accepted until then.
 */
import { once } from 'node:events';
import net from 'node:net';
import { HandleTransport } from './handle-transport.ts';
import { park, type ParkedServer } from './parked-server.ts';
import { SocketTransport } from './socket-transport.ts';
import { listenAtPath } from './stale-socket.ts';
import { acceptHandles, streamHandles } from './stream-handles.ts';
import { IGNORE, type Transport } from './transport.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket, or null. */
  readonly path: string | null;
}

export interface ListenOptions {
  /** Let other processes listen on the same port (SO_REUSEPORT); the kernel spreads connections. */
  readonly reusePort?: boolean;
  /** `BACKLOG` if not given. */
  readonly backlog?: number;
}

export interface BoundAddress {
  /** Where it really listens: the port the system chose if 0 was asked for. */
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

export interface ListeningSocket extends BoundAddress {
  /** Accepts nothing more until `resume`: connections wait with the system. False: it can't be paused, and goes on. */
  pause(): boolean;
  resume(): void;
  /** Stops listening; connections already accepted go on. */
  close(): void;
}

/** Connections the kernel keeps for us while we are busy. */
export const BACKLOG = 4096;

/** Opens the socket; from then on each accepted connection is given to `onTransport`, which sets its handler. */
export async function listen(
  address: ListenAddress,
  onTransport: (transport: Transport) => void,
  options: ListenOptions = {},
): Promise<ListeningSocket> {
  const server = net.createServer();
  const { host, port, path } = address;
  const backlog = options.backlog ?? BACKLOG;
  if (path === null) {
    server.listen({ host, port, backlog, reusePort: options.reusePort ?? false });
    await once(server, 'listening');
  } else await listenAtPath(server, path, backlog);
  const bound = server.address();
  const actual =
    bound === null || typeof bound === 'string' ? { host: '', port: 0 } : { host: bound.address, port: bound.port };
  return new Listening({ ...actual, path }, server, onTransport);
}

class Listening implements ListeningSocket {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  readonly #onTransport: (transport: Transport) => void;
  #server: net.Server;
  #parked: ParkedServer | null = null;

  constructor({ host, port, path }: BoundAddress, server: net.Server, onTransport: (transport: Transport) => void) {
    this.host = host;
    this.port = port;
    this.path = path;
    this.#onTransport = onTransport;
    this.#server = server;
    this.#accept();
  }

  pause(): boolean {
    // Only TCP servers can be parked.
    if (this.path === null) this.#parked ??= park(this.#server);
    return this.#parked !== null;
  }

  resume(): void {
    if (this.#parked === null) return;
    this.#server = this.#parked.unpark();
    this.#parked = null;
    this.#accept();
  }

  close(): void {
    if (this.#parked !== null) this.#server = this.#parked.unpark();
    this.#parked = null;
    this.#server.close();
  }

  #accept(): void {
    const server = this.#server;
    // As `createServer` would be told; a server that comes back from where it was parked knows nothing of it.
    Object.assign(server, { allowHalfOpen: true, noDelay: true });
    server.on('connection', (socket) => this.#accepted(new SocketTransport(socket, IGNORE)));
    // A failed accept (the client left at once) concerns nobody here.
    server.on('error', () => {});
    if (streamHandles !== null) acceptHandles(server, (handle) => this.#accepted(new HandleTransport(handle, IGNORE)));
  }

  #accepted(transport: Transport): void {
    // Over TCP every peer has a port. One that reset the connection before it was accepted has no address any more; what
    // it sent can still be read, but no rule about who may send it could be kept.
    if (this.path === null && transport.addresses().remotePort === 0) transport.destroy();
    else this.#onTransport(transport);
  }
}
