/**
 * Connects to a host and port or a Unix socket and returns a Transport. Hot (once per upstream connection).
 *
 * The system resolves names, and their addresses race (net/race.ts).
 */
import net, { isIP, type NetConnectOpts } from 'node:net';
import { IGNORE } from './byte-stream.ts';
import type { Deadlines } from './deadlines.ts';
import { HandleTransport } from './handle-transport.ts';
import type { ListenAddress } from './listen.ts';
import { Race } from './race.ts';
import { SocketTransport } from './socket-transport.ts';
import { streamHandles, takeHandle } from './stream-handles.ts';
import { KEEPALIVE_SECONDS, type Transport } from './transport.ts';

const KEEPALIVE = { keepAlive: true, keepAliveInitialDelay: KEEPALIVE_SECONDS * 1000 };

export interface Dialer {
  /** Connected. The dialer sets the transport's handler before it returns. */
  onConnected(transport: Transport): void;
  /** `code` is the system's name: ECONNREFUSED, EHOSTUNREACH, ENOTFOUND, … */
  onDialFailed(code: string): void;
}

/** A connection attempt in progress. */
export interface Dialing {
  /** Cancels the attempt; the dialer gets no further calls. */
  cancel(): void;
}

export function dial(address: ListenAddress, deadlines: Deadlines, dialer: Dialer): Dialing {
  const { host, port, path } = address;
  if (path !== null) return connect({ path, allowHalfOpen: true }, dialer);
  const at = (ip: string, attempt: Dialer): Dialing =>
    connect({ host: ip, port, noDelay: true, allowHalfOpen: true, ...KEEPALIVE }, attempt);
  return isIP(host) === 0 ? new Race(host, deadlines, dialer, at) : at(host, dialer);
}

function connect(options: NetConnectOpts, dialer: Dialer): Dialing {
  const socket = net.connect(options);
  let over = false;
  const failed = (error: NodeJS.ErrnoException): void => {
    if (over) return;
    over = true;
    socket.destroy();
    dialer.onDialFailed(error.code ?? 'ERROR');
  };
  socket.once('error', failed);
  socket.once('connect', () => {
    if (over) return;
    over = true;
    if (streamHandles === null) {
      socket.off('error', failed);
      dialer.onConnected(new SocketTransport(socket, IGNORE));
      return;
    }
    const handle = takeHandle(socket);
    if (handle === null) dialer.onDialFailed('ECONNRESET');
    else dialer.onConnected(new HandleTransport(handle, IGNORE));
  });
  return {
    cancel: () => {
      over = true;
      socket.destroy();
    },
  };
}
