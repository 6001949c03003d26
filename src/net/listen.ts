/**
 * A listening socket that hands out its connections as Transports or as Node's own sockets. Cold to open, hot to
 * accept.
 *
 * runtime/snapshot/listeners.ts opens it. Opening may fail with the system's error (EADDRINUSE, EACCES, …). Connections
 * that arrive before the first call of `serve` are accepted and wait; none of their bytes are read.
 */
import { once } from 'node:events';
import net from 'node:net';
import { IGNORE } from './byte-stream.ts';
import { HandleTransport } from './handle-transport.ts';
import { park, type ParkedServer } from './parked-server.ts';
import { SocketTransport } from './socket-transport.ts';
import { listenAtPath } from './stale-socket.ts';
import { acceptHandles, keepAlive, socketOf, type StreamHandle, streamHandles } from './stream-handles.ts';
import { KEEPALIVE_SECONDS, type Transport } from './transport.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket, or null. */
  readonly path: string | null;
}

export interface ListenOptions {
  /** Lets other processes listen on the same port (SO_REUSEPORT); the kernel distributes connections. */
  readonly reusePort?: boolean;
  /** `BACKLOG` if not given. */
  readonly backlog?: number;
}

export interface BoundAddress {
  /** The bound address, with the port that the system chose if the config has 0. */
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
}

/** Receives connections. It sets a transport's handler or adds a socket's listeners. */
export type Taker =
  | { readonly as: 'transport'; readonly take: (transport: Transport) => void }
  | { readonly as: 'socket'; readonly take: (socket: net.Socket) => void };

export interface ListeningSocket extends BoundAddress {
  /** Passes the waiting and all future connections to `taker`. */
  serve(taker: Taker): void;
  /** Accepts nothing until `resume`; connections wait in the kernel. false: it can't pause and keeps accepting. */
  pause(): boolean;
  resume(): void;
  /** Stops listening. Accepted connections continue; those that still wait for `serve` are closed. */
  close(): void;
}

/** Connections that the kernel queues while the gateway is busy. */
const BACKLOG = 4096;

/** Opens the socket. */
export async function listen(address: ListenAddress, options: ListenOptions = {}): Promise<ListeningSocket> {
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
  return new Listening({ ...actual, path }, server);
}

/** An accepted connection. */
type Arrival = StreamHandle | net.Socket;

function ignore(): void {}

class Listening implements ListeningSocket {
  readonly host: string;
  readonly port: number;
  readonly path: string | null;
  #taker: Taker | null = null;
  #waiting: Arrival[] = [];
  #server: net.Server;
  #parked: ParkedServer | null = null;

  constructor({ host, port, path }: BoundAddress, server: net.Server) {
    this.host = host;
    this.port = port;
    this.path = path;
    this.#server = server;
    this.#accept();
  }

  serve(taker: Taker): void {
    this.#taker = taker;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const arrival of waiting) this.#give(arrival, taker);
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
    for (const arrival of this.#waiting) {
      if (arrival instanceof net.Socket) arrival.destroy();
      else arrival.close();
    }
    this.#waiting = [];
  }

  #accept(): void {
    const server = this.#server;
    // `createServer` could set these options, but a server that was parked has lost them.
    const keepAliveInitialDelay = KEEPALIVE_SECONDS;
    Object.assign(server, { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay });
    // Connections inherit the option from the listening socket: one call covers all of them.
    if (this.path === null) keepAlive(server, KEEPALIVE_SECONDS);
    server.on('connection', (socket) => this.#accepted(socket));
    // A failed accept (the client left at once) needs no action.
    server.on('error', ignore);
    if (streamHandles !== null) acceptHandles(server, (handle) => this.#accepted(handle));
  }

  #accepted(arrival: Arrival): void {
    if (this.#taker !== null) this.#give(arrival, this.#taker);
    else {
      // The peer may reset the connection before its taker listens for errors.
      if (arrival instanceof net.Socket) arrival.on('error', ignore);
      this.#waiting.push(arrival);
    }
  }

  #give(arrival: Arrival, { as, take }: Taker): void {
    if (as === 'socket') {
      take(arrival instanceof net.Socket ? arrival : socketOf(arrival));
      return;
    }
    const transport =
      arrival instanceof net.Socket ? new SocketTransport(arrival, IGNORE) : new HandleTransport(arrival, IGNORE);
    // Over TCP every peer has a port. A peer that reset the connection before it was accepted has no address any more.
    // Its bytes could still be read, but no rule about client addresses could be applied to them.
    if (this.path === null && transport.addresses().remotePort === 0) transport.destroy();
    else take(transport);
  }
}
