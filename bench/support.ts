/** What the benches share: a gateway process, what it costs, and clients that load it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import flags from '../bin/engine-flags.json' with { type: 'json' };

const root = fileURLToPath(new URL('..', import.meta.url));
/** Clock ticks per second of /proc/PID/stat, on every Linux that Node runs on. */
const TICKS = 100;

export interface GatewayProcess extends AsyncDisposable {
  readonly pid: number;
  /** Puts another text in the config's place at once. */
  edit(text: string): void;
  /** CPU seconds used so far, all threads. */
  cpu(): number;
  /** Resident bytes. */
  memory(): number;
}

/** Runs `src/main.ts` itself, without the launcher in between; resolves when a connection to `port` is accepted. */
export async function gatewayProcess(config: string, port: number, extension = 'yaml'): Promise<GatewayProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-bench-'));
  const file = join(folder, `gateway.${extension}`);
  writeFileSync(file, config);
  const child = spawn(process.execPath, [...flags, 'src/main.ts', '--config', file], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await untilAccepting(port, child);
  const pid = child.pid ?? 0;
  return {
    pid,
    edit: (text) => {
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
    },
    cpu: () => cpuSeconds(pid),
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A config of so many routes, on 1,000 hosts, and one before them that answers with the version. */
export function manyRoutes(port: number, origin: number, routes: number, version: string): string {
  const lines = [
    'version: 1',
    `listeners: { web: { address: "127.0.0.1:${port}" } }`,
    `pools: { origin: { endpoints: ["127.0.0.1:${origin}"] } }`,
    'routes:',
    `  - { name: version, match: { path: { exact: /version } }, respond: { body: "${version}" } }`,
  ];
  for (let i = 0; i < routes; i++)
    lines.push(`  - name: route-${i}`, `    match: { host: ${hostOf(i)}, path: /service/${i} }`, '    pool: origin');
  return `${lines.join('\n')}\n`;
}

const hostOf = (route: number): string => `h${route % 1000}.example.com`;

/** What the last of so many routes is asked by. */
export function lastOf(routes: number): { readonly host: string; readonly path: string } {
  return { host: hostOf(routes - 1), path: `/service/${routes - 1}/x` };
}

export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** Seconds that the host of this machine has kept its processors to itself, all together: what is measured meanwhile is the host. */
export function stolenSeconds(): number {
  return Number(readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.trim().split(/\s+/)[8]) / TICKS;
}

async function untilAccepting(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}`);
    const socket = net.connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.on('connect', () => resolve(true));
      socket.on('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await pause(20);
  }
  throw new Error(`nobody listens on ${port}`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface Load {
  /** Answers so far. */
  readonly answers: number;
  /** Answers that were not 200, and connections that broke. */
  readonly failures: number;
  /** How long each answer took since the last call of this, in ms. */
  latencies(): number[];
  stop(): void;
}

/** Keep-alive clients that each ask again as soon as they have their answer, or every `every` ms. */
export function load(port: number, clients: number, request: string, every = 0): Load {
  let answers = 0;
  let failures = 0;
  let latencies: number[] = [];
  let stopped = false;
  const sockets = Array.from({ length: clients }, () => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let began = 0;
    let text = '';
    const ask = (): void => {
      if (stopped) return;
      began = performance.now();
      socket.write(request);
    };
    socket.on('connect', ask);
    socket.on('error', () => void (stopped || failures++));
    socket.on('data', (part: Buffer) => {
      text += part.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      if (!text.startsWith('HTTP/1.1 200')) failures++;
      text = text.slice(end + 4 + length);
      answers++;
      latencies.push(performance.now() - began);
      if (every === 0) ask();
      else setTimeout(ask, every);
    });
    return socket;
  });
  return {
    get answers() {
      return answers;
    },
    get failures() {
      return failures;
    },
    latencies: () => {
      const was = latencies;
      latencies = [];
      return was;
    },
    stop: () => {
      stopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The least value that is not below that share of them. */
export function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? Number.NaN;
}

/** One JSON line, for people and for scripts. */
export function report(bench: string, figures: object): void {
  console.log(JSON.stringify({ bench, ...figures }));
}
