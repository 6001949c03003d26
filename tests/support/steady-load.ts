/** A gateway process from the sources under a steady load of a fixed number of requests, and an origin for it. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import flags from '../../bin/engine-flags.json' with { type: 'json' };
import type { CollectorCounts } from './collector-inside.ts';

export interface ProcessUnderLoad extends AsyncDisposable {
  counts(): Promise<CollectorCounts>;
}

/** Starts the gateway, as the launcher does in a checkout, and waits until it accepts connections on `port`. */
export async function processUnderLoad(configFile: string, port: number): Promise<ProcessUnderLoad> {
  const inside = new URL('./collector-inside.ts', import.meta.url).href;
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const child = fork(main, ['--config', configFile], {
    execArgv: [...flags, '--import', inside],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  await accepting(child, port);
  return {
    async counts() {
      const told = new Promise<CollectorCounts>((resolve) => {
        // The gateway itself may tell its parent a word.
        const listen = (message: string | CollectorCounts): void => {
          if (typeof message === 'string') return;
          child.off('message', listen);
          resolve(message);
        };
        child.on('message', listen);
      });
      child.send('collector');
      return told;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function accepting(child: ChildProcess, port: number): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the gateway has ended: ${child.exitCode}`);
    const socket = net.connect(port, '127.0.0.1');
    const connected = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      once(socket, 'error').then(() => false),
    ]);
    socket.destroy();
    if (connected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Answers each read, which is one request, with these bytes. */
export async function steadyOrigin(response: string): Promise<{ readonly port: number } & AsyncDisposable> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', () => socket.write(response, 'latin1'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface SteadyClients extends AsyncDisposable {
  /** Sends that many requests in all, each client its next one when it has its answer. */
  send(requests: number): Promise<void>;
}

/** `request`: the text of a client's n-th request. All answers must be of one length. */
export async function steadyClients(
  port: number,
  count: number,
  request: (client: number, n: number) => string,
): Promise<SteadyClients> {
  const clients = await Promise.all(
    Array.from({ length: count }, async (_, client) => {
      const socket = net.connect(port, '127.0.0.1');
      socket.setNoDelay(true);
      await once(socket, 'connect');
      return { socket, client, sent: 0 };
    }),
  );
  return {
    async send(requests) {
      let left = requests;
      await Promise.all(
        clients.map(
          (one) =>
            new Promise<void>((resolve, reject) => {
              let head = '';
              let missing = 0;
              const next = (): void => {
                if (left <= 0) {
                  one.socket.removeAllListeners('data').removeAllListeners('close');
                  resolve();
                  return;
                }
                left--;
                head = '';
                missing = 0;
                one.socket.write(request(one.client, one.sent++), 'latin1');
              };
              one.socket.on('close', () => reject(new Error('the gateway closed a connection')));
              one.socket.on('data', (bytes) => {
                if (missing === 0) {
                  head += bytes.toString('latin1');
                  const end = head.indexOf('\r\n\r\n');
                  if (end < 0) return;
                  if (!head.startsWith('HTTP/1.1 200')) reject(new Error(head));
                  missing = end + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1]) - head.length;
                } else missing -= bytes.length;
                if (missing === 0) next();
              });
              next();
            }),
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of clients) socket.destroy();
      await Promise.resolve();
    },
  };
}
