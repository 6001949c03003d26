/** A listener whose queue of those to be accepted is full and stays so: the system does not answer who knocks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';

export class Sleeper implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #fillers: net.Socket[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async on(port: number, host = '127.0.0.1'): Promise<Sleeper> {
    const script = `require('net').createServer().listen({port:${port},host:'${host}',backlog:1},()=>console.log(1))`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGSTOP');
    const sleeper = new Sleeper(child);
    for (let i = 0; i < 4; i++) sleeper.#fillers.push(net.connect(port, host).on('error', () => {}));
    await Promise.all(sleeper.#fillers.slice(0, 2).map((socket) => once(socket, 'connect')));
    return sleeper;
  }

  /** Accepts from now on: whoever knocks again is let in. */
  wake(): void {
    this.#child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
