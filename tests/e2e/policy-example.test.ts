/** The examples of docs/policy-modules.md, each with the test that its author would run, from another process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Stands for an installed package. */
const INSTALLED = `import { registerHooks } from 'node:module';
registerHooks({ resolve: (name, context, next) =>
  next(name === 'prozy' ? ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)} : name, context) });`;

test.each(['policy-module/policies', 'forward-auth/forward-auth'])('the tests of %s pass', async (example) => {
  const args = [
    '--disable-warning=ExperimentalWarning',
    `--import=data:text/javascript,${encodeURIComponent(INSTALLED)}`,
    '--test',
    `examples/${example}.test.ts`,
  ];
  // Node tells tests that it starts itself to report in a way of its own.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (out += part.toString()));
  await once(child, 'close');
  expect(out).toMatch(/pass [1-9]/);
  expect([child.exitCode, out]).toEqual([0, expect.stringMatching(/fail 0/)]);
});
