/** The gateway as a process of its own, and what the system says that it holds. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { get } from '../../support/requests.ts';
import { badClientsConfig } from './config.ts';
import type { Holdings } from './inside.ts';
import { KINDS } from './kinds.ts';
import { settled } from './run.ts';

export interface GatewayProcess extends AsyncDisposable {
  readonly ports: ReadonlyMap<string, number>;
  readonly adminPort: number;
  readonly logFile: string;
  /** Its open descriptors. */
  descriptors(): number;
  rss(): number;
  /** After a garbage collection. */
  holdings(): Promise<Holdings>;
  /** Ends it; answers its exit code and what it said. */
  stop(): Promise<{ code: number | null; said: string }>;
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

export async function startGatewayProcess(originPort: number): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-bad-clients-'));
  const logFile = join(folder, 'access.log');
  const saidFile = join(folder, 'stderr.log');
  const configFile = join(folder, 'gateway.json');
  const [adminPort = 0, ...rest] = await freePorts(KINDS.length + 1);
  const ports = new Map(KINDS.map(({ name }, i) => [name, rest[i]!]));
  const config = badClientsConfig({
    listener: (name) => `127.0.0.1:${ports.get(name)}`,
    admin: `127.0.0.1:${adminPort}`,
    origin: originPort,
    log: logFile,
  });
  writeFileSync(configFile, JSON.stringify(config));
  const said = openSync(saidFile, 'w');
  const inside = new URL('./inside.ts', import.meta.url).href;
  const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
  const child = fork(main, ['--config', configFile], {
    execArgv: ['--expose-gc', '--import', inside],
    stdio: ['ignore', said, said, 'ipc'],
  });
  const exited = once(child, 'exit');
  const ready = async (): Promise<boolean> =>
    child.exitCode !== null ||
    (await get(adminPort, '/ready').then(
      ({ status }) => status === 200,
      () => false,
    ));
  if (!(await settled(ready)) || child.exitCode !== null) throw new Error(readFileSync(saidFile, 'utf8'));
  return {
    ports,
    adminPort,
    logFile,
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    rss: () => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]),
    holdings: () => holdings(child),
    async stop() {
      child.kill('SIGTERM');
      await exited;
      return { code: child.exitCode, said: readFileSync(saidFile, 'utf8') };
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

async function holdings(child: ChildProcess): Promise<Holdings> {
  const answer = once(child, 'message');
  child.send('holdings');
  // It says nothing else.
  return (await answer)[0] as Holdings;
}
