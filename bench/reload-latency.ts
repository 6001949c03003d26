/**
 * What the traffic feels of a large reload: `node bench/reload-latency.ts [routes]`.
 *
 * A thousand requests a second, at random times, while one route of so many is edited again and again, as soon as the last
 * edit has taken effect; and the same without an edit, in turns. Said is the median of the rounds of either kind. Clients and
 * origin are programs in C, so that what is measured is not their own pauses. Rounds in which the host of the machine kept
 * its processors to itself are told, and do not count. Needs Debian's nginx and wrk.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gatewayProcess, lastOf, manyRoutes, median, pause, report, stolenSeconds } from './support.ts';

const PORT = 19_290;
const ORIGIN = 19_291;
const ROUNDS = Number(process.env['ROUNDS'] ?? 5);
/** Of each round (s). */
const SECONDS = 8;
/** What an edit leaves behind to be cleared away is neither the one nor the other (ms). */
const SETTLING = 2000;
const routes = Number(process.argv[2] ?? 10_000);

for (const program of ['/usr/sbin/nginx', '/usr/bin/wrk']) {
  if (existsSync(program)) continue;
  console.error(`${program} is missing: apt-get install nginx wrk`);
  process.exit(1);
}

// Made once: to make it takes as long as many requests.
const [before, after] = manyRoutes(PORT, ORIGIN, routes, 'VERSION').split('VERSION') as [string, string];
const config = (version: number): string => `${before}${version}${after}`;

const folder = mkdtempSync(join(tmpdir(), 'prozy-bench-'));
const put = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
const originConfig = `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log; events {}
  http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${ORIGIN}; location / { return 200 ok; } } }`;
const origin = spawn('/usr/sbin/nginx', ['-c', put('nginx.conf', originConfig)]);
const script = put('clients.lua', 'function delay() return math.random(0, 14) end\n');
const { host, path } = lastOf(routes);

interface Waits {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly requests: number;
  /** Percent. */
  readonly stolen: number;
}

/** One round of traffic. */
async function traffic(): Promise<Waits> {
  const [stolen, began] = [stolenSeconds(), performance.now()];
  const { stdout } = await promisify(execFile)('/usr/bin/wrk', [
    '-t1',
    '-c8',
    `-d${SECONDS}s`,
    '--latency',
    '-s',
    script,
    '-H',
    `Host: ${host}`,
    `http://127.0.0.1:${PORT}${path}`,
  ]);
  const seconds = (performance.now() - began) / 1000;
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(stdout);
  const ms = (pattern: RegExp): number => {
    const [, value, unit] = pattern.exec(stdout) ?? [];
    return Number(value) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's'];
  };
  return {
    p50: ms(/50%\s+([\d.]+)(\w+)/),
    p99: ms(/99%\s+([\d.]+)(\w+)/),
    longest: ms(/Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s)/),
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    stolen: ((stolenSeconds() - stolen) / seconds / availableParallelism()) * 100,
  };
}

await using gateway = await gatewayProcess(config(0), PORT);
let version = 0;
const effects: number[] = [];

/** Edits until it is told to stop. */
async function edits(going: () => boolean): Promise<void> {
  while (going()) {
    gateway.edit(config(++version));
    const began = performance.now();
    while ((await (await fetch(`http://127.0.0.1:${PORT}/version`)).text()) !== `${version}`) await pause(10);
    effects.push(performance.now() - began);
  }
}

/** Asks for the version as often as those who wait for an edit do. */
async function asking(going: () => boolean): Promise<void> {
  while (going()) {
    await (await fetch(`http://127.0.0.1:${PORT}/version`)).text();
    await pause(10);
  }
}

async function round(beside: (going: () => boolean) => Promise<void>): Promise<Waits> {
  let going = true;
  const other = beside(() => going);
  const waits = await traffic();
  going = false;
  await other;
  await pause(SETTLING);
  return waits;
}

await round(edits);
effects.length = 0;
/** Percent of the processors' time, above which it is the host that is measured. */
const CALM = 1;
/** Rounds for each that counts, at most. */
const TRIES = 3;

const calm = (rounds: readonly Waits[]): Waits[] => rounds.filter(({ stolen }) => stolen < CALM);
const all: Record<'quiet' | 'beneath', Waits[]> = { quiet: [], beneath: [] };
for (let i = 0; i < ROUNDS * TRIES; i++) {
  if (Math.min(calm(all.quiet).length, calm(all.beneath).length) >= ROUNDS) break;
  all.quiet.push(await round(asking));
  all.beneath.push(await round(edits));
}
const [quiet, beneath] = [calm(all.quiet), calm(all.beneath)];
const rounded = (value: number): number => Math.round(value * 100) / 100;
const shown = (rounds: readonly Waits[]): object => ({
  p50: rounded(median(rounds.map(({ p50 }) => p50))),
  p99: rounded(median(rounds.map(({ p99 }) => p99))),
  all_p99: rounds.map(({ p99 }) => p99),
  longest: Math.max(...rounds.map(({ longest }) => longest)),
});
report('reload-latency', {
  routes,
  edits: effects.length,
  requests: [...quiet, ...beneath].reduce((sum, { requests }) => sum + requests, 0),
  rounds_left_out: all.quiet.length - quiet.length + all.beneath.length - beneath.length,
  effect_ms: [Math.round(median(effects)), Math.round(Math.max(...effects))],
  request_ms: { quiet: shown(quiet), beneath_edits: shown(beneath) },
  p99_ratio: rounded(median(beneath.map(({ p99 }) => p99)) / median(quiet.map(({ p99 }) => p99))),
});
origin.kill('SIGTERM');
await gateway[Symbol.asyncDispose]();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
