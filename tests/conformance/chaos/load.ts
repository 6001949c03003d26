/** Clients that ask again and again, and what they saw. */
import http from 'node:http';
import { WHOLE_ANSWER } from '../../support/fault-origin.ts';

export class Load {
  /** By status, or by what broke. */
  readonly seen = new Map<string, number>();
  answered = 0;
  /** Milliseconds that the slowest took. */
  slowest = 0;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  readonly #port: number;
  readonly #clients: Promise<void>[];
  readonly #pause: number;
  #stopped = false;

  /** `clients` at a time, each of which waits for `pause` ms between an answer and its next request. */
  constructor(port: number, clients: number, pause: number) {
    this.#port = port;
    this.#pause = pause;
    this.#clients = Array.from({ length: clients }, () => this.#run());
  }

  /** Requests that did not get their whole answer. */
  get failures(): number {
    let sum = 0;
    for (const [what, count] of this.seen) if (what !== 'ok') sum += count;
    return sum;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const started = performance.now();
      const what = await this.#ask();
      this.slowest = Math.max(this.slowest, performance.now() - started);
      this.answered++;
      this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
      if (this.#pause > 0) await new Promise((resolve) => setTimeout(resolve, this.#pause));
    }
  }

  #ask(): Promise<string> {
    return new Promise((resolve) => {
      const request = http.get({ host: '127.0.0.1', port: this.#port, agent: this.#agent }, (response) => {
        let body = '';
        response.setEncoding('latin1');
        response.on('data', (part: string) => (body += part));
        response.on('error', () => resolve('body cut'));
        response.on('end', () => {
          if (response.statusCode !== 200) resolve(`status ${response.statusCode}`);
          else resolve(body === WHOLE_ANSWER ? 'ok' : 'body short');
        });
      });
      request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'ERROR'));
    });
  }
}
