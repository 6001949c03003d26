/**
 * A listening TCP server out of the event loop, but not closed: who connects waits in the system's queue. Cold.
 *
 * Node can hand a listening server to another thread. One that is on its way accepts nothing, and nothing says that it has
 * to arrive elsewhere, or soon. Node before 26.6 can't do it: there nothing is parked.
 */
import type net from 'node:net';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

export interface ParkedServer {
  /** The same listening socket, as another server. Once. */
  unpark(): net.Server;
}

/** null: it can't be, and goes on as before. */
export function park(server: net.Server): ParkedServer | null {
  const { port1, port2 } = new MessageChannel();
  try {
    port1.postMessage(server, [server]);
  } catch {
    port1.close();
    return null;
  }
  return {
    unpark: () => {
      // What was posted is there at once.
      const { message } = receiveMessageOnPort(port2) as { readonly message: net.Server };
      port1.close();
      return message;
    },
  };
}
