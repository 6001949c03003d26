/**
 * Takes a listening TCP server off the event loop without closing it: new connections wait in the kernel's queue. Cold.
 *
 * Node can transfer a listening server to another thread. During the transfer it accepts nothing, and the transfer need
 * not complete. Node before 26.6 does not support this; there, nothing can be parked.
 */
import type net from 'node:net';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

export interface ParkedServer {
  /** Returns the same listening socket as another server. Call it once. */
  unpark(): net.Server;
}

/** Returns null if the server can't be parked; it then continues as before. */
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
      // A posted message is available at once.
      const { message } = receiveMessageOnPort(port2) as { readonly message: net.Server };
      port1.close();
      return message;
    },
  };
}
