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
