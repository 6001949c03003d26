/**
 * Serves connections to the admin listener's socket, which runtime/snapshot/listeners.ts opens and closes. Cold.
 *
 * The pages belong to admin/, a layer above runtime/, and are passed to the gateway. One HTTP server lives as long as
 * the gateway, so that its connections survive a change of the address.
 */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import type { Gateway } from './gateway.ts';

export type AdminPages = (gateway: Gateway, request: http.IncomingMessage, response: http.ServerResponse) => void;

export class AdminListener {
  readonly #gateway: Gateway;
  readonly #pages: AdminPages | null;
  #server: http.Server | null = null;
  #retired = false;
  #observing = false;

  constructor(gateway: Gateway, pages: AdminPages | null) {
    this.#gateway = gateway;
    this.#pages = pages;
  }

  /** Handles an accepted connection. */
  accept(socket: net.Socket): void {
    this.#server ??= this.#make();
    this.#server.emit('connection', socket);
  }

  /** Sets whether the plan in effect has an admin listener. Without one, connections end after the current response. */
  use(wanted: boolean): void {
    this.#retired = !wanted;
    if (this.#retired) this.#server?.closeIdleConnections();
    else if (!this.#observing) {
      this.#observing = true;
      this.#gateway.exposition.start();
    }
  }

  #make(): http.Server {
    const server = http.createServer((request, response) => {
      if (this.#retired) response.setHeader('connection', 'close');
      if (this.#pages === null) response.writeHead(404).end();
      else this.#pages(this.#gateway, request, response);
    });
    // The server never listens itself; this event starts its tracking of connections and their timeouts.
    server.emit('listening');
    return server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
