/**
 * The admin listener's socket, opened and closed with reloads like the others. Cold.
 *
 * What it serves is admin/'s business, which stands above runtime/: whoever makes the gateway hands it the pages.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { BACKLOG, type BoundAddress } from '../net/listen.ts';
import { listenAtPath } from '../net/stale-socket.ts';
import type { AdminPlan } from '../plan/types.ts';
import type { Gateway } from './gateway.ts';
import { OpenError } from './open-error.ts';
import type { Prepared } from './opening.ts';

export type AdminPages = (gateway: Gateway, request: http.IncomingMessage, response: http.ServerResponse) => void;

export class AdminListener {
  readonly #gateway: Gateway;
  readonly #pages: AdminPages | null;
  #server: http.Server | null = null;
  #identity = '';
  #observing = false;

  constructor(gateway: Gateway, pages: AdminPages | null) {
    this.#gateway = gateway;
    this.#pages = pages;
  }

  get address(): BoundAddress | null {
    const address = this.#server?.address();
    if (address === null || address === undefined || typeof address === 'string') return null;
    const { address: host, port }: AddressInfo = address;
    return { host, port, path: null };
  }

  /** Throws a OpenError. */
  async prepare(plan: AdminPlan | null): Promise<Prepared> {
    if (plan !== null && plan.claim.identity === this.#identity) return { commit: () => {}, abort: () => {} };
    const server = plan === null ? null : await this.#open(plan);
    return {
      abort: () => void server?.close(),
      commit: () => {
        this.#end();
        this.#server = server;
        this.#identity = plan?.claim.identity ?? '';
        if (server === null || this.#observing) return;
        this.#observing = true;
        this.#gateway.exposition.start();
      },
    };
  }

  async #open({ address }: AdminPlan): Promise<http.Server> {
    const server = http.createServer((request, response) => {
      if (this.#pages === null) response.writeHead(404).end();
      else this.#pages(this.#gateway, request, response);
    });
    try {
      if (address.path === null) {
        server.listen({ host: address.host, port: address.port });
        await once(server, 'listening');
      } else await listenAtPath(server, address.path, BACKLOG);
    } catch (error) {
      throw new OpenError('the admin listener', address.text, '/admin/address', error);
    }
    return server;
  }

  #end(): void {
    this.#server?.close();
    this.#server?.closeIdleConnections();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    this.#identity = '';
    if (server === null) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }
}
