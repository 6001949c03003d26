/** An origin on real sockets that can be given every illness that a backend may have, and be cured of it again. */
import { once } from 'node:events';
import net from 'node:net';
import { Sleeper } from './sleeper.ts';

/** How a connection or a request is spoilt. */
export type Fault =
  /** Nobody listens. */
  | 'refuse'
  /** Accepts, reads, and never answers. */
  | 'black_hole'
  /** Listens, but the queue of those to be accepted is full and stays so. */
  | 'full_backlog'
  /** RST before the answer, within its head, within its body. */
  | 'reset_at_0'
  | 'reset_in_head'
  | 'reset_in_body'
  /** FIN without an answer. */
  | 'close'
  | 'garbage'
  /** One byte of the head now and then. */
  | 'slow_drip'
  | 'half_chunks'
  | 'endless_head'
  | 'interim_flood'
  /** Answers, and closes the connection just as the next request comes. */
  | 'idle_race'
  /** Less than the answer has. */
  | 'length_too_short'
  /** More than the answer has. */
  | 'length_too_long'
  | 'status_503'
  | 'status_503_retry_after';

const BODY = 'all is well';
const HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n`;
export const WHOLE_ANSWER = BODY;
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n';

export class FaultOrigin implements AsyncDisposable {
  port = 0;
  /** null: it is well. Set through `become`. */
  fault: Fault | null = null;
  /** The faults of the next requests, before `fault` counts again; null: a good answer. */
  readonly next: (Fault | null)[] = [];
  /** Requests that came, good or spoilt. */
  requests = 0;
  /** Spoilt ones. */
  faults = 0;
  connections = 0;
  readonly #sockets = new Set<net.Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #server: net.Server | null = null;
  #sleeper: Sleeper | null = null;

  static async open(): Promise<FaultOrigin> {
    const origin = new FaultOrigin();
    await origin.#listen();
    return origin;
  }

  /** From now on, and for the connections that it has too. */
  async become(fault: Fault | null): Promise<void> {
    this.fault = fault;
    if (this.#sleeper !== null) {
      await this.#sleeper[Symbol.asyncDispose]();
      this.#sleeper = null;
    }
    if (fault === 'refuse' || fault === 'full_backlog') await this.#deafen();
    else if (this.#server === null) await this.#listen();
    if (fault === 'full_backlog') this.#sleeper = await Sleeper.on(this.port);
  }

  async #listen(): Promise<void> {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as net.AddressInfo).port;
    this.#server = server;
  }

  async #deafen(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  #accept(socket: net.Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => socket.end());
    let text = '';
    let served = 0;
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        text = text.slice(end + 4);
        this.#answer(socket, served++);
      }
    });
  }

  #answer(socket: net.Socket, served: number): void {
    this.requests++;
    const planned = this.next.shift();
    const fault = planned === undefined ? this.fault : planned;
    if (fault === null || (fault === 'idle_race' && served === 0)) {
      socket.write(HEAD + BODY);
      // Every other time, it does not even wait for the next request.
      if (fault !== null && this.requests % 2 === 0) setImmediate(() => socket.end());
      return;
    }
    this.faults++;
    this.#spoil(socket, fault);
  }

  #spoil(socket: net.Socket, fault: Fault): void {
    const reset = (): void => this.#later(2, () => socket.resetAndDestroy());
    switch (fault) {
      case 'reset_at_0':
        socket.resetAndDestroy();
        break;
      case 'reset_in_head':
        socket.write(HEAD.slice(0, 30));
        reset();
        break;
      case 'reset_in_body':
        socket.write(HEAD + BODY.slice(0, 5));
        reset();
        break;
      case 'refuse':
      case 'full_backlog':
      case 'idle_race':
        socket.destroy();
        break;
      case 'close':
        socket.end();
        break;
      case 'garbage':
        socket.write('\x16\x03\x01 this is no HTTP\r\n\r\n');
        break;
      case 'slow_drip':
        this.#drip(socket, HEAD + BODY, 0);
        break;
      case 'half_chunks':
        socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nall i\r\n6\r\ns w');
        break;
      case 'endless_head':
        socket.write(`HTTP/1.1 200 OK\r\n${'X-More: and more\r\n'.repeat(5000)}`);
        break;
      case 'interim_flood':
        socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100) + HEAD + BODY);
        break;
      case 'length_too_short':
        socket.write(HEAD.replace(String(BODY.length), '5') + BODY);
        break;
      case 'length_too_long':
        socket.end(HEAD.replace(String(BODY.length), '50') + BODY);
        break;
      case 'status_503':
        socket.write(`${UNAVAILABLE}\r\n`);
        break;
      case 'status_503_retry_after':
        socket.write(`${UNAVAILABLE}Retry-After: 1\r\n\r\n`);
        break;
      case 'black_hole':
        break;
    }
  }

  #drip(socket: net.Socket, text: string, at: number): void {
    if (socket.destroyed || at >= text.length) return;
    socket.write(text[at]!);
    this.#later(500, () => this.#drip(socket, text, at + 1));
  }

  #later(ms: number, due: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      due();
    }, ms);
    this.#timers.add(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#sleeper?.[Symbol.asyncDispose]();
    await this.#deafen();
  }
}
