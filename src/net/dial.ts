/**
 * Connects to a host and port or a Unix socket and hands over a Transport. Hot (once per upstream connection).
 *
 * Names are resolved by the system; where a name has addresses of both families, they are raced as RFC 8305 says
 * (Node's autoSelectFamily).
 */
import net from 'node:net';
import { HandleTransport } from './handle-transport.ts';
import type { ListenAddress } from './listen.ts';
import { SocketTransport } from './socket-transport.ts';
import { streamHandles, takeHandle } from './stream-handles.ts';
import { IGNORE, type Transport } from './transport.ts';

export interface Dialer {
  /** Connected; the dialer sets the transport's handler before it returns. */
  onConnected(transport: Transport): void;
  /** `code` is the system's name: ECONNREFUSED, EHOSTUNREACH, ENOTFOUND, … */
  onDialFailed(code: string): void;
}

/** A connection being made. */
export interface Dialing {
  /** Gives up; the dialer hears nothing more. */
  cancel(): void;
}

export function dial(address: ListenAddress, dialer: Dialer): Dialing {
  const { host, port, path } = address;
  const socket =
    path === null
      ? net.connect({ host, port, noDelay: true, allowHalfOpen: true })
      : net.connect({ path, allowHalfOpen: true });
  let over = false;
  const failed = (error: NodeJS.ErrnoException): void => {
    if (over) return;
    over = true;
    socket.destroy();
    dialer.onDialFailed(codeOf(error));
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

/** When every address of a name failed, the first one's code stands for all. */
function codeOf(error: NodeJS.ErrnoException): string {
  if (error instanceof AggregateError) {
    const first: unknown = error.errors[0];
    if (first instanceof Error) return (first as NodeJS.ErrnoException).code ?? 'ERROR';
  }
  return error.code ?? 'ERROR';
}
