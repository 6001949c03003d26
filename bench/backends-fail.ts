/**
 * What clients see when backends are stopped, killed and started again: prozy beside HAProxy and nginx.
 *
 *   node bench/backends-fail.ts            three nginx backends behind each gateway in turn
 *   PEERS=prozy,haproxy node bench/backends-fail.ts
 *
 * Needs Debian's nginx and haproxy. Each gateway has the same health checks (nginx has none in its free edition and goes by
 * failed requests), the same timeouts, and may try twice more elsewhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayProcess, pause } from './support.ts';

const PORTS = [19_401, 19_402, 19_403];
const GATEWAY = 19_400;
const CLIENTS = 16;
const folder = mkdtempSync(join(tmpdir(), 'prozy-backends-'));

for (const program of ['/usr/sbin/nginx', '/usr/sbin/haproxy']) {
  if (existsSync(program)) continue;
  console.error(`${program} is missing: apt-get install nginx haproxy`);
  process.exit(1);
}

function put(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

interface Process {
  readonly pid: number;
  stop(): Promise<void>;
}

function run(command: string, ...args: string[]): Process {
  const child: ChildProcess = spawn(command, args, { stdio: 'ignore' });
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** One process, no master, so that a signal reaches what serves. */
function backend(port: number): Process {
  return run(
    'nginx',
    '-c',
    put(
      `backend-${port}.conf`,
      `daemon off; master_process off; pid ${folder}/${port}.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${port}; location / { return 200 "${port}"; } } }`,
    ),
  );
}

const gateways: Record<string, () => Promise<Process>> = {
  async prozy() {
    const gateway = await gatewayProcess(
      `version: 1
listeners: { web: { address: "127.0.0.1:${GATEWAY}" } }
pools:
  app:
    endpoints: [${PORTS.map((port) => `"127.0.0.1:${port}"`).join(', ')}]
    timeouts: { connect: 1s }
    retries: { per_try_timeout: 2s }
    health: { active: { path: /, interval: 1s, timeout: 1s, unhealthy: 2, healthy: 2 } }
routes: [{ name: all, match: {}, pool: app }]
`,
      GATEWAY,
    );
    return { pid: gateway.pid, stop: async () => gateway[Symbol.asyncDispose]() };
  },
  haproxy() {
    const servers = PORTS.map((port) => `  server s${port} 127.0.0.1:${port} check inter 1s fall 2 rise 2`).join('\n');
    const config = `global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 30s
  timeout server 2s
  timeout check 1s
  retries 2
  option redispatch 1
  retry-on all-retryable-errors
  http-reuse always
  option httpchk GET /
frontend f
  bind 127.0.0.1:${GATEWAY}
  default_backend b
backend b
${servers}
`;
    return Promise.resolve(run('haproxy', '-f', put('haproxy.cfg', config)));
  },
  nginx() {
    const servers = PORTS.map((port) => `server 127.0.0.1:${port} max_fails=1 fail_timeout=5s;`).join(' ');
    const config = `daemon off; master_process off; pid ${folder}/gateway.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; upstream app { ${servers} keepalive 64; }
server { listen 127.0.0.1:${GATEWAY}; location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_connect_timeout 1s; proxy_read_timeout 2s; proxy_next_upstream error timeout; proxy_next_upstream_tries 3; } } }`;
    return Promise.resolve(run('nginx', '-c', put('gateway.conf', config)));
  },
};

/** What the clients saw since it was last asked. */
class Seen {
  answers = 0;
  failures = 0;
  slowest = 0;
  /** Answers by backend. */
  readonly by = new Map<string, number>();
}

class Clients {
  seen = new Seen();
  #stopped = false;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  readonly #running: Promise<void>[];

  constructor() {
    this.#running = Array.from({ length: CLIENTS }, async () => {
      while (!this.#stopped) await this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const started = performance.now();
    const body = await new Promise<string | null>((resolve) => {
      const request = http.get(
        { port: GATEWAY, host: '127.0.0.1', agent: this.#agent, timeout: 10_000 },
        (response) => {
          let text = '';
          response.on('data', (part: Buffer) => (text += part.toString()));
          response.on('end', () => resolve(response.statusCode === 200 ? text : null));
          response.on('error', () => resolve(null));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(null));
    });
    const { seen } = this;
    seen.slowest = Math.max(seen.slowest, performance.now() - started);
    if (body === null) {
      seen.failures++;
      await pause(5);
      return;
    }
    seen.answers++;
    seen.by.set(body, (seen.by.get(body) ?? 0) + 1);
    // Some load, not all that there is.
    await pause(2);
  }

  take(): Seen {
    const { seen } = this;
    this.seen = new Seen();
    return seen;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }
}

/** Milliseconds until this backend answers again. */
async function untilBack(clients: Clients, port: number): Promise<number> {
  const started = performance.now();
  while (!clients.seen.by.has(String(port)) && performance.now() - started < 30_000) await pause(20);
  return performance.now() - started;
}

async function measure(name: string): Promise<void> {
  const backends = new Map(PORTS.map((port) => [port, backend(port)]));
  await pause(300);
  const gateway = await gateways[name]!();
  await pause(1500);
  const clients = new Clients();
  const [victim = 0] = PORTS;
  const row = (event: string, { answers, failures, slowest }: Seen, back = ''): void =>
    console.log(
      `| ${name.padEnd(7)} | ${event.padEnd(24)} | ${String(answers).padStart(7)} | ${String(failures).padStart(6)} | ${slowest.toFixed(0).padStart(7)} | ${back.padStart(8)} |`,
    );
  await pause(2000);
  row('all is well', clients.take());
  process.kill(backends.get(victim)!.pid, 'SIGSTOP');
  await pause(8000);
  row('one of three stopped', clients.take());
  process.kill(backends.get(victim)!.pid, 'SIGCONT');
  const continued = await untilBack(clients, victim);
  row('it goes on', clients.take(), `${continued.toFixed(0)} ms`);
  await backends.get(victim)!.stop();
  await pause(5000);
  row('one of three killed (-9)', clients.take());
  backends.set(victim, backend(victim));
  const restarted = await untilBack(clients, victim);
  row('it is started again', clients.take(), `${restarted.toFixed(0)} ms`);
  await clients.stop();
  await gateway.stop();
  for (const one of backends.values()) await one.stop();
}

console.log('| gateway | event                    | answers | failed | slowest | is back  |');
console.log('| ------- | ------------------------ | ------: | -----: | ------: | -------: |');
for (const name of (process.env['PEERS'] ?? 'prozy,haproxy,nginx').split(',')) await measure(name);
rmSync(folder, { recursive: true, force: true });
