/**
 * A real PostgreSQL session with psql through a tcp listener: `node tests/conformance/postgresql.ts`. Needs Debian's
 * postgresql package; says so and fails if it is missing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../../src/admin/start.ts';

const bin = globSync('/usr/lib/postgresql/*/bin').toSorted().at(-1);
if (bin === undefined || !existsSync('/usr/bin/psql')) {
  console.error('postgresql is missing: apt-get install postgresql');
  process.exit(1);
}

const PORT = 54_329;
const folder = mkdtempSync(join(tmpdir(), 'prozy-pg-'));
// PostgreSQL does not run as root: then it is run as its own user.
const asUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
const run = (...command: string[]): void => {
  const [program = '', ...args] = [...asUser, ...command];
  execFileSync(program, args, { stdio: 'pipe', cwd: '/tmp' });
};
if (asUser.length > 0) execFileSync('chown', ['postgres', folder]);

run(join(bin, 'initdb'), '-D', join(folder, 'data'), '-A', 'trust', '-U', 'prozy');
run(
  join(bin, 'pg_ctl'),
  '-D',
  join(folder, 'data'),
  '-w',
  '-o',
  `-p ${PORT} -k ${folder} -h 127.0.0.1`,
  '-l',
  join(folder, 'log'),
  'start',
);
const config = join(folder, 'gateway.json');
writeFileSync(
  config,
  JSON.stringify({
    version: 1,
    listeners: { db: { address: '127.0.0.1:0', protocol: 'tcp', pool: 'db' } },
    pools: { db: { endpoints: [`127.0.0.1:${PORT}`] } },
  }),
);
const running = await startGateway(config);
const port = running.gateway.addressOf('db')?.port ?? 0;

function psql(input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('psql', [
      '-h',
      '127.0.0.1',
      '-p',
      String(port),
      '-U',
      'prozy',
      '-d',
      'postgres',
      '-v',
      'ON_ERROR_STOP=1',
      '-qAt',
    ]);
    let out = '';
    let err = '';
    child.stdout.on('data', (part: Buffer) => (out += part.toString()));
    child.stderr.on('data', (part: Buffer) => (err += part.toString()));
    child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(err))));
    child.stdin.end(input);
  });
}

const checks: [string, string, (out: string) => boolean][] = [
  ['a query', 'select 6 * 7;', (out) => out.trim() === '42'],
  [
    'a large result',
    'select count(*) from generate_series(1, 10); select repeat(chr(120), 1000) from generate_series(1, 20000);',
    (out) => out.length > 20_000_000,
  ],
  [
    'COPY in and out',
    `create temp table t (a int);\ncopy t from stdin;\n${Array.from({ length: 50_000 }, (_, i) => i).join('\n')}\n\\.\nselect sum(a) from t;\ncopy t to stdout;\n`,
    (out) => out.startsWith('1249975000\n') && out.split('\n').length > 50_000,
  ],
  ['a transaction with an error in it', 'begin; select 1; rollback; select 2;', (out) => out === '1\n2\n'],
  ['notifications', "listen x; notify x, 'y'; select 3;", (out) => out.includes('3')],
];
let failed = 0;
for (const [name, input, holds] of checks) {
  const good = await psql(input).then(holds, (error: Error) => (console.error(error.message), false));
  console.log(`${good ? 'well  ' : 'FAILED'} ${name}`);
  if (!good) failed++;
}
const many = await Promise.all(Array.from({ length: 40 }, (_, i) => psql(`select pg_sleep(0.2); select ${i};`)));
const allThere = many.every((out, i) => out.trim() === String(i));
console.log(`${allThere ? 'well  ' : 'FAILED'} 40 sessions at once`);
await running.close(1000);
run(join(bin, 'pg_ctl'), '-D', join(folder, 'data'), '-m', 'immediate', 'stop');
rmSync(folder, { recursive: true, force: true });
process.exit(failed > 0 || !allThere ? 1 : 0);
