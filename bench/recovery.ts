/**
 * How long a backend that was down and is back is still refused: prozy beside nginx, HAProxy and Caddy.
 *
 *   node bench/recovery.ts                       down for 3, 10, 60 and 180 s: some five minutes
 *   DOWN=3,10 PEERS=prozy,nginx node bench/recovery.ts
 *
 * Each gateway has one backend of its own and the settings that it has by default. A client sends a request every 100 ms; the
 * backend is closed, so that connections are refused, and listens again after the time that it is down. "back" is the time
 * from then to the first 200, "failed" counts the other answers after it was back. All gateways run at the same time.
 * A peer whose program is not installed is left out, and named.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayProcess, pause } from './support.ts';

const FIRST_PORT = 19_500;
/** Milliseconds from one request to the next. */
const EVERY = 100;
/** Milliseconds after a backend's return that are looked at. */
const WATCHED = 10_000;
/** Milliseconds that one may take from then to its first good answer before it is given up. */
const PATIENCE = 330_000;

const downs = (process.env['DOWN'] ?? '3,10,60,180').split(',').map(Number);
const wanted = (process.env['PEERS'] ?? 'prozy,nginx,haproxy,caddy').split(',');
const folder = mkdtempSync(join(tmpdir(), 'prozy-recovery-'));

interface Running {
  stop(): Promise<void>;
}

type Start = (port: number, backend: number) => Promise<Running>;

function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function run(command: string, ...args: string[]): Promise<Running> {
  const child: ChildProcess = spawn(command, args, { stdio: 'ignore', env: { ...process.env, HOME: folder } });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return Promise.resolve({ stop });
}

function prozy(pool: string): Start {
  return async (port, backend) => {
    const gateway = await gatewayProcess(
      `version: 1
logging: { level: error }
listeners: { web: { address: "127.0.0.1:${port}" } }
pools: { app: { endpoints: ["127.0.0.1:${backend}"]${pool} } }
routes: [{ name: all, match: {}, pool: app }]
`,
      port,
    );
    return { stop: async () => gateway[Symbol.asyncDispose]() };
  };
}

const nginx: Start = (port, backend) =>
  run(
    '/usr/sbin/nginx',
    '-c',
    put(
      'nginx.conf',
      `daemon off; master_process off; pid ${folder}/nginx.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; upstream app { server 127.0.0.1:${backend}; }
server { listen 127.0.0.1:${port}; location / { proxy_pass http://app; } } }`,
    ),
  );

const haproxy =
  (check: string): Start =>
  (port, backend) =>
    run(
      '/usr/sbin/haproxy',
      '-f',
      put(
        `haproxy-${port}.cfg`,
        `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  server s 127.0.0.1:${backend}${check}
`,
      ),
    );

const caddy: Start = (port, backend) =>
  run(
    '/usr/bin/caddy',
    'run',
    '--adapter',
    'caddyfile',
    '--config',
    put(
      'Caddyfile',
      `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${backend}
}
`,
    ),
  );

interface Contestant {
  readonly peer: string;
  readonly name: string;
  readonly program: string;
  readonly start: Start;
}

const contestants: readonly Contestant[] = [
  ...['round_robin', 'weighted_round_robin', 'least_connections', 'p2c', 'ip_hash', 'ring_hash'].map((strategy) => ({
    peer: 'prozy',
    name: `prozy, ${strategy}`,
    program: process.execPath,
    start: prozy(`, strategy: ${strategy === 'ring_hash' ? '{ type: ring_hash, key: path }' : strategy}`),
  })),
  { peer: 'nginx', name: 'nginx', program: '/usr/sbin/nginx', start: nginx },
  { peer: 'haproxy', name: 'HAProxy', program: '/usr/sbin/haproxy', start: haproxy('') },
  { peer: 'haproxy', name: 'HAProxy, check', program: '/usr/sbin/haproxy', start: haproxy(' check') },
  { peer: 'caddy', name: 'Caddy', program: '/usr/bin/caddy', start: caddy },
];

/** A backend that listens, or does not. */
class Backend {
  readonly #port: number;
  #server: http.Server | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async up(): Promise<void> {
    this.#server = http.createServer((_, response) => response.end('ok')).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  down(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

/** The status of one answer; 0: there was none within ten seconds. */
function ask(port: number): Promise<number> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}

/** Asks until `until` answers true, one request every 100 ms, each answered before the next. */
async function askOn(port: number, until: (status: number) => boolean): Promise<void> {
  for (;;) {
    const started = performance.now();
    if (until(await ask(port))) return;
    await pause(Math.max(0, EVERY - (performance.now() - started)));
  }
}

interface Figures {
  readonly back: number;
  readonly failed: number;
}

async function outage(port: number, backend: Backend, seconds: number): Promise<Figures> {
  backend.down();
  const fell = performance.now();
  await askOn(port, () => performance.now() - fell > seconds * 1000);
  await backend.up();
  const returned = performance.now();
  let back = Number.NaN;
  let failed = 0;
  await askOn(port, (status) => {
    const passed = performance.now() - returned;
    if (status !== 200) failed++;
    else if (Number.isNaN(back)) back = passed;
    return (passed > WATCHED && !Number.isNaN(back)) || passed > PATIENCE;
  });
  return { back, failed };
}

async function measure({ name, start }: Contestant, port: number): Promise<Figures[]> {
  const backend = new Backend(port + 1);
  await backend.up();
  const gateway = await start(port, port + 1);
  const began = performance.now();
  await askOn(port, (status) => {
    if (status === 200) return true;
    if (performance.now() - began > 30_000)
      throw new Error(`${name} does not serve: is its config right for the installed version?`);
    return false;
  });
  const figures: Figures[] = [];
  for (const seconds of downs) figures.push(await outage(port, backend, seconds));
  await gateway.stop();
  backend.down();
  return figures;
}

const missing = contestants.filter(({ peer, program }) => wanted.includes(peer) && !existsSync(program));
for (const { name, program } of missing) console.log(`${name} is left out: ${program} is missing`);
const there = contestants.filter(({ peer, program }) => wanted.includes(peer) && existsSync(program));
const all = await Promise.all(there.map((one, i) => measure(one, FIRST_PORT + 2 * i)));
console.log(`| gateway | ${downs.map((seconds) => `back after ${seconds} s | failed`).join(' | ')} |`);
console.log(`| --- | ${downs.map(() => '---: | ---:').join(' | ')} |`);
there.forEach(({ name }, i) => {
  const cells = all[i]!.map(({ back, failed }) => `${back.toFixed(0)} ms | ${failed}`);
  console.log(`| ${name} | ${cells.join(' | ')} |`);
});
rmSync(folder, { recursive: true, force: true });
