/** A client that behaves badly byte by byte, and says in a word how the gateway took it. */
import { once } from 'node:events';
import net from 'node:net';

/** Longer than every timeout that the kinds wait for, on a machine that has much else to do. */
const PATIENCE_MS = 60_000;
/** What a client keeps of what it hears: statuses come early. */
const KEPT = 256 * 1024;

export class BadClient {
  readonly socket: net.Socket;
  #text = '';
  #ended = false;
  #error = '';
  #listening: (() => void) | null = null;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (part: Buffer) => {
      if (this.#text.length < KEPT) this.#text += part.toString('latin1');
      this.#listening?.();
    });
    socket.on('end', () => this.#over(''));
    socket.on('close', () => this.#over(''));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#over(error.code ?? 'ERROR'));
  }

  static async to(port: number): Promise<BadClient> {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new BadClient(socket);
  }

  #over(error: string): void {
    this.#ended = true;
    if (this.#error === '') this.#error = error;
    this.#listening?.();
  }

  /**
   * One that has had a whole answer to a whole request: the gateway surely has the connection. One whose greeting was
   * late is none: it goes, and another comes.
   */
  static async greeted(port: number): Promise<BadClient> {
    for (;;) {
      const client = await BadClient.to(port);
      if (await client.#greet()) return client;
      client.socket.destroy();
    }
  }

  /** Resolves when the kernel has all of it. */
  send(bytes: string | Buffer): Promise<void> {
    return new Promise((resolve) => {
      this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve());
    });
  }

  /** Sends one part per tick, for as long as the gateway puts up with it. */
  async drip(parts: Iterable<string>, tickMs: number): Promise<void> {
    for (const part of parts) {
      if (this.#ended) return;
      await this.send(part);
      await pause(tickMs);
    }
  }

  /** Writes now and then until that fails: nothing else tells a client that does not read of a reset. */
  async untilReset(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    while (!this.#ended && performance.now() < until) {
      void this.send('\r\n');
      await pause(100);
    }
  }

  async #greet(): Promise<boolean> {
    void this.send('GET /hello HTTP/1.1\r\nHost: a\r\n\r\n');
    await this.#until(() => this.#text.endsWith('hello'));
    const heard = this.#text.endsWith('hello') && !this.#ended;
    this.#text = '';
    return heard;
  }

  /** Goes away without a word, as if the machine were gone. */
  reset(): string {
    this.socket.resetAndDestroy();
    return 'left';
  }

  /** Waits until the gateway ends the connection: the statuses heard, or `silence`; `reset` if that is how it ended. */
  async end(): Promise<string> {
    const over = await this.#until(() => this.#ended);
    const statuses = [...this.#text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => status);
    const words = [...new Set(statuses.length === 0 ? ['silence'] : statuses)];
    if (this.#error !== '') words.push(this.#error === 'ECONNRESET' || this.#error === 'EPIPE' ? 'reset' : this.#error);
    if (!over) words.push('hangs');
    this.socket.destroy();
    return words.join(' ');
  }

  #until(condition: () => boolean): Promise<boolean> {
    if (condition() || this.#ended) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(false), PATIENCE_MS);
      const done = (how: boolean): void => {
        clearTimeout(timer);
        this.#listening = null;
        resolve(how);
      };
      this.#listening = () => {
        if (condition() || this.#ended) done(true);
      };
    });
  }
}

/** Bad clients take their time: that is what is bad about them. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
