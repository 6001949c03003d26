/** Flags that would have no effect are not taken. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-flags-'));
const file = join(folder, 'gateway.yaml');
// Never opened: the address is none of this machine's.
writeFileSync(file, 'version: 1\nlisteners: { web: { address: "192.0.2.1:80" } }\n');
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['--port', ['--port', '8081']],
  ['--verbose', ['--verbose']],
  ['--backend', ['--backend', '127.0.0.1:1']],
])('%s beside a file is wrong usage: 2', async (name, flags) => {
  for (const args of [
    ['--config', file, ...flags],
    ['run', '--config', file, ...flags],
  ]) {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([2, `prozy: ${name} has no effect beside --config: the file says it\n`]);
  }
});

test('--reuse-addr goes with both', async () => {
  const { code, err } = await run('--config', file, '--reuse-addr');
  expect(code).toBe(3);
  expect(err).toMatch(
    / {2}listener web cannot have 192\.0\.2\.1:80: EADDRNOTAVAIL, this machine has no such address\n$/,
  );
});

test.each([
  [['--port', '99999', '--backend', 'a:1'], '--port 99999: must be a port from 0 to 65535'],
  [['--port', 'http', '--backend', 'a:1'], '--port http: must be a port from 0 to 65535'],
  [['--listen', 'a b', '--backend', 'a:1'], '--listen a b: must be a host name or an IP address'],
  [['--backend', 'a:1', 'http://a:2'], '--backend http://a:2: must be an address: .*write "a:2", without http://'],
  [['--backend', 'a:1', '--timeout', 'soon'], '--timeout soon: must be a duration such as'],
  [['--backend', 'a:1', '--max-conn', '-1'], '--max-conn -1: must be a whole number'],
])('a value that is wrong is told by the name of its flag: %j', async (args, told) => {
  const { code, out, err } = await run(...args);
  expect([code, out]).toEqual([2, '']);
  expect(err).toMatch(new RegExp(`^prozy: ${told}`));
  expect(err).not.toContain('flags.json');
});

test.each([
  [['chekc', file], 'unknown command chekc; did you mean check?'],
  [['relaod', '--admin', '127.0.0.1:1'], 'unknown command relaod; did you mean reload?'],
  [['purrge'], 'unknown command purrge; did you mean purge?'],
  [['frobnicate'], 'unknown command frobnicate; see prozy --help'],
  [['gateway.yaml'], 'unknown command gateway.yaml; to serve by that file: prozy --config gateway.yaml'],
])('a command that there is not: %j', async (args, told) => {
  expect(await run(...args)).toMatchObject({ code: 2, out: '', err: `prozy: ${told}\n` });
});

test('an option that there is not, and an address that is none', async () => {
  const unknown = await run('check', '--formt', 'json', file);
  expect([unknown.code, unknown.err]).toEqual([2, "prozy: unknown option '--formt'\n(Did you mean --format?)\n"]);
  const admin = await run('backends', '--admin', 'x y');
  expect(admin.code).toBe(2);
  for (const address of ['9199', 'localhost', 'ftp://a:1', ':9199', 'host:']) {
    const { code, err } = await run('backends', '--admin', address);
    expect([address, code, err]).toEqual([
      address,
      2,
      `prozy: option '--admin <address>' argument '${address}' is invalid. It must be host:port, such as 127.0.0.1:9090, or a URL.\n`,
    ]);
  }
  expect(admin.err).toContain("option '--admin <address>' argument 'x y' is invalid");
  expect(await run('help')).toMatchObject({ code: 0 });
});
