/** A cache that keeps everything, by path and query alone: to see whether the judge sees. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import type { Subject } from '../cache-cases/run.ts';

interface Kept {
  readonly status: number;
  readonly lines: readonly string[];
  readonly body: string;
}

export class CarelessCache implements Subject {
  readonly port: number;
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async open(originPort: number): Promise<CarelessCache> {
    const kept = new Map<string, Kept>();
    const server = http.createServer((request, response) => {
      request.resume();
      const { method = '', url = '', rawHeaders } = request;
      const found = kept.get(url);
      if (found !== undefined) {
        write(response, found);
        return;
      }
      const onward = http.request(
        { host: '127.0.0.1', port: originPort, method, path: url, headers: rawHeaders },
        (answer) => {
          let body = '';
          answer.on('data', (part: Buffer) => (body += part.toString()));
          answer.on('end', () => {
            const { statusCode: status = 0, rawHeaders: lines } = answer;
            if (method === 'GET' && status === 200) kept.set(url, { status, lines, body });
            write(response, { status, lines, body });
          });
        },
      );
      onward.on('error', () => response.writeHead(502).end());
      onward.end(method === 'POST' ? 'a' : undefined);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CarelessCache(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await once(this.#server.close(), 'close');
  }
}

function write(response: http.ServerResponse, { status, lines, body }: Kept): void {
  response.sendDate = false;
  response.writeHead(status, [...lines]);
  response.end(body);
}
