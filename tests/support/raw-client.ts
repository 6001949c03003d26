/** A client that sends exact bytes and reads exact bytes. */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { until } from './gateway.ts';

export interface RawResponse {
  readonly status: number;
  readonly head: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export class RawClient implements AsyncDisposable {
  readonly socket: net.Socket;
  /** The TCP connection below it. */
  readonly tcp: net.Socket;
  text = '';
  ended = false;
  closed = false;
  error = '';
  #read = 0;

  constructor(socket: net.Socket, tcp = socket) {
    this.socket = socket;
    this.tcp = tcp;
    socket.on('data', (part: Buffer) => (this.text += part.toString('latin1')));
    socket.on('end', () => (this.ended = true));
    socket.on('close', () => (this.closed = true));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code ?? 'ERROR'));
  }

  static async to(port: number): Promise<RawClient> {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Over TLS, when the server has sent a session to resume, unless the client has resumed one. By default the certificate is not verified. */
  static async secure(
    port: number,
    options: tls.ConnectionOptions = {},
  ): Promise<RawClient & { socket: tls.TLSSocket }> {
    const tcp = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = tls.connect({ socket: tcp, rejectUnauthorized: false, ...options });
    const session = once(socket, 'session');
    await once(socket, 'secureConnect');
    if (!socket.isSessionReused()) await session;
    return new RawClient(socket, tcp) as RawClient & { socket: tls.TLSSocket };
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Sends the parts as segments of their own, as far as the system lets us. */
  async sendParts(parts: readonly string[]): Promise<void> {
    this.socket.setNoDelay(true);
    for (const part of parts) {
      if (this.socket.destroyed) return;
      this.socket.write(part, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The next whole response (1xx are responses too). `method` of the request it answers. */
  async response(method = 'GET'): Promise<RawResponse> {
    let parsed: { response: RawResponse; end: number } | null = null;
    await until(
      () => {
        parsed = parseResponse(this.text.slice(this.#read), method, this.ended || this.closed);
        return parsed !== null || this.closed;
      },
      `a response comes, after ${JSON.stringify(this.text.slice(this.#read, this.#read + 200))}`,
    );
    if (parsed === null) throw new Error(`no response: ${this.error} ${JSON.stringify(this.text.slice(this.#read))}`);
    const { response, end } = parsed as { response: RawResponse; end: number };
    this.#read += end;
    return response;
  }

  /** Waits until the other side has ended or closed. */
  async end(): Promise<void> {
    await until(() => this.ended || this.closed, 'the connection ends');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    if (!this.closed) await once(this.socket, 'close');
  }
}

function parseResponse(text: string, method: string, ended: boolean): { response: RawResponse; end: number } | null {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const head = text.slice(0, headEnd + 2);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not a response: ${JSON.stringify(head)}`);
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n').slice(1, -1)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const start = headEnd + 4;
  const done = (body: string, end: number) => ({ response: { status, head, headers, body }, end });
  if (status < 200 || status === 204 || status === 304 || method === 'HEAD') return done('', start);
  if (headers['transfer-encoding'] === 'chunked') return parseChunks(text, start, done);
  if (headers['content-length'] !== undefined) {
    const length = Number(headers['content-length']);
    return text.length >= start + length ? done(text.slice(start, start + length), start + length) : null;
  }
  return ended ? done(text.slice(start), text.length) : null;
}

function parseChunks<T>(text: string, start: number, done: (body: string, end: number) => T): T | null {
  let at = start;
  let body = '';
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    at = lineEnd + 2;
    if (size === 0) {
      const end = text.startsWith('\r\n', at) ? at : text.indexOf('\r\n\r\n', at) + 2;
      return end < 2 ? null : done(body + text.slice(at, end), end + 2);
    }
    if (text.length < at + size + 2) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
}
