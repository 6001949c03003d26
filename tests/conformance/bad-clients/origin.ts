/** The backend behind the bad clients: well-behaved, patient, and it says how far an answer has come. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';

/** An answer that is cut at every byte. */
export const CUT_ANSWER = Buffer.from(
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
    'a\r\n0123456789\r\n14\r\nabcdefghijklmnopqrst\r\n0\r\nX-Trailer: yes\r\n\r\n',
);
const BLOCK = Buffer.alloc(64 * 1024, 'x');
/** More than all the buffers on the way take. */
const LARGE = 64 * 1024 * 1024;

export interface BadClientsOrigin extends AsyncDisposable {
  readonly port: number;
  /** Resolves when the first bytes of the answer to `/cut/<id>/<length>` have been sent. */
  cutSent(id: string): Promise<void>;
}

export async function badClientsOrigin(): Promise<BadClientsOrigin> {
  const cuts = new Map<string, () => void>();
  const sockets = new Set<net.Socket>();
  const server = http.createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('clientError', (_, socket) => socket.destroy());
  server.on('request', (request, response) => {
    const [, what = '', name = '', length = ''] = (request.url ?? '').split('/');
    request.on('error', () => {});
    if (what === 'echo') {
      response.writeHead(200);
      request.pipe(response);
    } else if (what === 'large') sendLarge(response);
    else if (what === 'block') response.end(BLOCK);
    else {
      request.resume();
      request.on('end', () => {
        if (what === 'cut') sendCut(request.socket, Number(length), () => cuts.get(name)?.());
        else response.end('ok');
      });
    }
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    cutSent: (id) =>
      new Promise((resolve) => {
        cuts.set(id, () => {
          cuts.delete(id);
          resolve();
        });
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function sendLarge(response: http.ServerResponse): void {
  response.writeHead(200, { 'Content-Length': LARGE });
  let left = LARGE;
  const more = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= BLOCK.length;
      if (!response.write(BLOCK)) return;
    }
    response.end();
  };
  response.on('drain', more);
  more();
}

/** Nothing follows the part: whoever waits for the rest waits. */
function sendCut(socket: net.Socket, length: number, sent: () => void): void {
  if (length === 0) sent();
  else socket.write(CUT_ANSWER.subarray(0, length), sent);
}
