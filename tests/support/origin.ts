/** Origins for tests: one that speaks HTTP through Node's own strict parser, and one that sends whatever bytes it is told. */
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

export interface Origin extends AsyncDisposable {
  readonly port: number;
  /** Bytes received, per connection. */
  readonly received: Buffer[][];
}

export interface HttpOrigin extends Origin {
  readonly requests: SeenRequest[];
}

type Answer = (request: SeenRequest, response: http.ServerResponse) => void;

async function open(server: net.Server, host = '127.0.0.1', port = 0): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}

/** Answers 200 "ok <url>" unless told otherwise; keeps every request and every byte. `at`: the port; 0: any. */
export async function httpOrigin(
  answer: Answer = ({ url }, response) => response.end(`ok ${url}`),
  host = '127.0.0.1',
  at = 0,
): Promise<HttpOrigin> {
  const requests: SeenRequest[] = [];
  const received: Buffer[][] = [];
  const sockets = new Set<net.Socket>();
  const speaker = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders, trailers } = request;
      const seen = { method, url, headers, rawHeaders, body: Buffer.concat(parts).toString('latin1'), trailers };
      requests.push(seen);
      answer(seen, response);
    });
  });
  speaker.on('clientError', (_, socket) => socket.destroy());
  const server = net.createServer((socket) => {
    const bytes: Buffer[] = [];
    received.push(bytes);
    sockets.add(socket);
    socket.on('error', () => {});
    speaker.emit('connection', socket);
    socket.on('data', (part: Buffer) => bytes.push(part));
  });
  const port = await open(server, host, at);
  return {
    port,
    requests,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Gives each connection to `talk`. */
export async function rawOrigin(talk: (socket: net.Socket) => void): Promise<Origin> {
  const received: Buffer[][] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const bytes: Buffer[] = [];
    received.push(bytes);
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (part: Buffer) => bytes.push(part));
    talk(socket);
  });
  const port = await open(server);
  return {
    port,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends these bytes when a request head has come, for each in turn. */
export function answering(
  ...answers: readonly (string | ((socket: net.Socket) => void))[]
): (socket: net.Socket) => void {
  let next = 0;
  return (socket) => {
    let text = '';
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      while (text.includes('\r\n\r\n')) {
        text = text.slice(text.indexOf('\r\n\r\n') + 4);
        const answer = answers[Math.min(next++, answers.length - 1)]!;
        if (typeof answer === 'string') socket.write(answer, 'latin1');
        else answer(socket);
      }
    });
  };
}
