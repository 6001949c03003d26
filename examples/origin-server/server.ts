/**
 * A small server to try a gateway against: `node examples/origin-server/server.ts [--port 3003]`.
 *
 *   /                 what the server is and what it can do
 *   /echo             the request's body, as it arrives
 *   /headers          the request's fields, as JSON
 *   /json             a JSON document
 *   /status/418       that status
 *   /delay/500        responds after that many milliseconds
 *   /redirect?to=/x   redirects the client there (default: /)
 *   /bytes/100000     that many bytes, with a Content-Length
 *   /slow/10?every=100   that many lines, one every so many milliseconds, without a length
 *   /socket           a WebSocket that sends back what it gets (RFC 6455)
 */
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { acceptSocket } from './socket.ts';

const HELP = `A small origin server. Try /echo /headers /json /status/418 /delay/500 /redirect?to=/json
/bytes/100000 /slow/10?every=100, and a WebSocket on /socket.
`;
const BLOCK = Buffer.alloc(64 * 1024, 'prozy ');
/** The longest delay (ms). */
const LONGEST_DELAY = 60_000;

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, url: URL, argument: number) => void;

const answers: Readonly<Record<string, Answer>> = {
  '': (_request, response) => text(response, 200, HELP),
  echo: (request, response) => {
    response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
    request.pipe(response);
  },
  headers: (request, response) => json(response, 200, request.headers),
  json: (_request, response) => json(response, 200, { hello: 'world', numbers: [1, 2, 3] }),
  status: (_request, response, _url, code) => {
    const status = code >= 200 && code <= 599 ? code : 200;
    text(response, status, `${status} ${http.STATUS_CODES[status] ?? ''}\n`);
  },
  delay: (_request, response, _url, ms) => {
    const delay = Math.min(ms, LONGEST_DELAY);
    const timer = setTimeout(() => text(response, 200, `after ${delay} ms\n`), delay);
    response.on('close', () => clearTimeout(timer));
  },
  redirect: (_request, response, url) => {
    response.writeHead(302, { location: url.searchParams.get('to') ?? '/', 'content-length': 0 }).end();
  },
  bytes: (_request, response, _url, asked) => {
    const count = Math.max(0, asked);
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': count });
    let left = count;
    const more = (): void => {
      while (left > 0) {
        const part = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
        left -= part.length;
        if (!response.write(part)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  },
  slow: (_request, response, url, count) => {
    const lines = count || 10;
    let sent = 0;
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.flushHeaders();
    const timer = setInterval(
      () => {
        response.write(`line ${++sent} of ${lines}\n`);
        if (sent >= lines) response.end();
      },
      Number(url.searchParams.get('every') ?? 100) || 100,
    );
    response.on('close', () => clearInterval(timer));
  },
};

function text(response: http.ServerResponse, status: number, body: string): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...length }).end(body);
}

function json(response: http.ServerResponse, status: number, body: unknown): void {
  const written = `${JSON.stringify(body, null, 2)}\n`;
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(written) });
  response.end(written);
}

/** The server, not yet listening. */
export function originServer(): http.Server {
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://origin');
    const [, name = '', argument = ''] = url.pathname.split('/');
    const answer = Object.hasOwn(answers, name) ? answers[name] : undefined;
    if (answer === undefined) json(response, 404, { error: `there is nothing at ${url.pathname}` });
    else answer(request, response, url, Number.parseInt(argument, 10) || 0);
  });
  server.on('upgrade', acceptSocket);
  return server;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const at = process.argv.indexOf('--port');
  const port = at < 0 ? 3003 : Number(process.argv[at + 1]);
  originServer().listen(port, '127.0.0.1', () => console.log(`origin server on http://127.0.0.1:${port}`));
}
