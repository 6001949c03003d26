/**
 * What psql sees when a PostgreSQL server behind a tcp listener is stopped, killed and started again: prozy beside HAProxy.
 *
 *   node bench/postgres-fails.ts
 *
 * Needs Debian's postgresql and haproxy. Both gateways check the port every second.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayProcess, pause } from './support.ts';

const PRIMARY = 19_451;
const GATEWAY = 19_450;
const bin = globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1) ?? '';
for (const program of [join(bin, 'postgres'), '/usr/bin/psql', '/usr/sbin/haproxy']) {
  if (existsSync(program)) continue;
  console.error(`${program} is missing: apt-get install postgresql haproxy`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'prozy-pg-'));
const data = join(folder, 'data');
// PostgreSQL does not run as root: then it is run as its own user.
const asUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
if (asUser.length > 0) execFileSync('chown', ['postgres', folder]);
const run = (...command: string[]): void => {
  const [program = '', ...args] = [...asUser, ...command];
  execFileSync(program, args, { stdio: 'ignore', cwd: '/tmp' });
};
const start = (): void =>
  run(
    join(bin, 'pg_ctl'),
    '-D',
    data,
    '-w',
    '-o',
    `-p ${PRIMARY} -k ${folder} -h 127.0.0.1`,
    '-l',
    join(folder, 'log'),
    'start',
  );
const processes = (): number[] => {
  const postmaster = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const children = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ');
  return [postmaster, ...children.filter(Boolean).map(Number)];
};
const signal = (name: NodeJS.Signals): void => {
  for (const pid of processes()) {
    try {
      process.kill(pid, name);
    } catch {
      // Without its parent it has ended by itself.
    }
  }
};

/** One session that asks one thing. Answers whether it was answered. */
async function session(): Promise<boolean> {
  const child = spawn(
    'psql',
    ['-h', '127.0.0.1', '-p', String(GATEWAY), '-U', 'prozy', '-d', 'postgres', '-qAtc', 'select 42'],
    { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, PGCONNECT_TIMEOUT: '3' } },
  );
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  await once(child, 'close');
  return out.trim() === '42';
}

/** Sessions one after the other for `ms`. */
async function sessions(ms: number): Promise<string> {
  let good = 0;
  let bad = 0;
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await session()) good++;
    else {
      bad++;
      await pause(20);
    }
  }
  return `${String(good).padStart(7)} | ${String(bad).padStart(6)}`;
}

async function untilBack(): Promise<string> {
  const started = performance.now();
  while (!(await session())) await pause(20);
  return `${(performance.now() - started).toFixed(0)} ms`;
}

const gateways: Record<string, () => Promise<() => Promise<void>>> = {
  async prozy() {
    const gateway = await gatewayProcess(
      `version: 1
listeners: { db: { address: "127.0.0.1:${GATEWAY}", protocol: tcp, pool: db } }
pools:
  db:
    endpoints: ["127.0.0.1:${PRIMARY}"]
    timeouts: { connect: 1s }
    health: { active: { type: tcp, interval: 1s, timeout: 1s, unhealthy: 2, healthy: 1 } }
`,
      GATEWAY,
    );
    return async () => gateway[Symbol.asyncDispose]();
  },
  async haproxy() {
    const config = join(folder, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  nbthread 1
defaults
  mode tcp
  timeout connect 1s
  timeout client 1h
  timeout server 1h
listen db
  bind 127.0.0.1:${GATEWAY}
  server primary 127.0.0.1:${PRIMARY} check inter 1s fall 2 rise 1
`,
    );
    const child = spawn('haproxy', ['-f', config], { stdio: 'ignore' });
    await pause(500);
    return async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    };
  },
};

run(join(bin, 'initdb'), '-D', data, '-A', 'trust', '-U', 'prozy');
start();
console.log('| gateway | event                    | sessions | failed | is back  |');
console.log('| ------- | ------------------------ | -------: | -----: | -------: |');
for (const name of (process.env['PEERS'] ?? 'prozy,haproxy').split(',')) {
  const stop = await gateways[name]!();
  const row = (event: string, figures: string, back = ''): void =>
    console.log(`| ${name.padEnd(7)} | ${event.padEnd(24)} |  ${figures} | ${back.padStart(8)} |`);
  row('all is well', await sessions(2000));
  signal('SIGSTOP');
  row('stopped', await sessions(6000));
  signal('SIGCONT');
  row('it goes on', '      1 |      0', await untilBack());
  signal('SIGKILL');
  row('killed (-9)', await sessions(3000));
  start();
  row('it is started again', '      1 |      0', await untilBack());
  await stop();
}
run(join(bin, 'pg_ctl'), '-D', data, '-m', 'immediate', 'stop');
rmSync(folder, { recursive: true, force: true });
