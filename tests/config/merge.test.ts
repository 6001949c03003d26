/** An included file's names mean what they mean in the root file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { compileOnce } from '../../src/runtime/compile/compile.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-merge-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROOT = 'version: 1\n';
const parts = (name: string): string => `
listeners: { "${name}": { address: "127.0.0.1:8080" } }
pools: { "${name}": { endpoints: ["127.0.0.1:3000"] } }
routes:
  - { name: r, match: { headers: { "${name}": "1" }, query: { "${name}": "1" } }, pool: "${name}" }
`;

function compiled(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return compileOnce(join(folder, 'gateway.yaml'), {});
}

test.each(['plain', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s', (name) => {
  const whole = compiled({ 'gateway.yaml': ROOT + parts(name) });
  const included = compiled({ 'gateway.yaml': `${ROOT}include: [part.yaml]\n`, 'part.yaml': parts(name) });
  expect(included.problems.map(({ message }) => message)).toEqual(whole.problems.map(({ message }) => message));
  expect(included.plan?.listeners.map((one) => one.name)).toEqual(whole.plan?.listeners.map((one) => one.name));
  expect(included.plan?.pools.map((one) => one.name)).toEqual([name]);
  expect(included.plan?.routes).toEqual(whole.plan?.routes);
});

test.each(['__proto__', 'constructor'])('%s twice is a problem', (name) => {
  const root = `${ROOT}include: [part.yaml]\npools: { "${name}": { endpoints: ["127.0.0.1:1"] } }\n`;
  const { problems } = compiled({ 'gateway.yaml': root, 'part.yaml': parts(name) });
  expect(problems.map(({ message }) => message)).toContain(`${name} is declared twice`);
});
