/** The command's answers and exit codes. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { run } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-cli-'));
const good = join(folder, 'good.yaml');
const bad = join(folder, 'bad.yaml');
const LISTENERS = 'listeners: { web: { address: "127.0.0.1:0" } }';
const warned = join(folder, 'warned.yaml');
writeFileSync(good, `version: 1\n${LISTENERS}\nroutes:\n  - { name: a, match: {}, respond: {} }\n`);
writeFileSync(warned, `${readFileSync(good, 'utf8')}  - { name: b, match: { path: /b }, respond: {} }\n`);
writeFileSync(
  bad,
  `version: 1\n${LISTENERS}\nroutes:\n  - { name: a, match: {}, pool: nobody }\n  - { name: a, match: {}, colour: 1 }\n`,
);
afterAll(() => rmSync(folder, { recursive: true }));

interface Report {
  readonly file: string;
  readonly ok: boolean;
  readonly problems: readonly { readonly line: number; readonly column: number; readonly message: string }[];
}

describe('check', () => {
  test('says fine and exits with 0', async () => {
    expect(await run('check', good)).toMatchObject({ code: 0, out: `${good}: fine\n`, err: '' });
  });

  test('shows every problem of every file with its place, and exits with 1', async () => {
    const { code, out } = await run('check', good, bad, join(folder, 'absent.yaml'));
    expect(code).toBe(1);
    expect(out).toContain(`${good}: fine`);
    expect(out).toMatch(/bad\.yaml:5:\d+ {2}routes\[1\]\.colour {2}unknown setting colour\n {4}5 \| .*\n {6}\| +\^/);
    expect(out).toContain('absent.yaml:1:1  cannot read this file: ENOENT, no such file or directory\n\n');
  });

  test('as JSON for machines', async () => {
    const { code, out } = await run('check', '--format', 'json', good, bad);
    expect(code).toBe(1);
    // The command's own output, checked field by field below.
    const report = JSON.parse(out) as Report[];
    expect(report.map(({ file, ok }) => [file, ok])).toEqual([
      [good, true],
      [bad, false],
    ]);
    expect(report[1]!.problems.map(({ line, message }) => [line, message])).toEqual([
      [4, 'there is no pool nobody'],
      [5, 'needs exactly one of pool, split, respond, redirect'],
      [5, 'unknown setting colour'],
    ]);
  });

  test('warnings are shown and are fine, unless it is strict', async () => {
    const { code, out } = await run('check', warned);
    expect(code).toBe(0);
    expect(out).toContain('warned.yaml:5:5  warning: routes[1]  route b can never match: a takes all its requests\n');
    expect(out).toContain(`${warned}: fine, with 1 warning\n`);
    const strict = await run('check', '--strict', good, warned);
    expect(strict.code).toBe(1);
    expect(strict.out).toContain(`${good}: fine\n`);
    expect(strict.out).toContain(`${warned}: 1 warning, which --strict makes errors\n`);
    // The command's own output, checked field by field below.
    const report = JSON.parse((await run('check', '--format', 'json', warned)).out) as Report[];
    expect(report).toMatchObject([{ ok: true, problems: [{ level: 'warning', line: 5 }] }]);
    const planned = await run('plan', warned, '--against', warned, '--no-color');
    expect(planned.code).toBe(0);
    expect(planned.out).toContain('warning: routes[1]  route b can never match');
  });

  test('runs the tests and invariants that a file holds', async () => {
    const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
    expect(await run('check', golden('good/tested.yaml'))).toMatchObject({ code: 0, err: '' });
    const { code, out } = await run('check', golden('bad/invariants.yaml'), golden('bad/included-tests.yaml'));
    expect(code).toBe(1);
    expect(out).toContain('two.yaml:2:49  invariants[1].policies  route two must have the policy acl, but has it not');
    expect(out).toContain('listener web is open to the world');
  });

  test('without a file, or with an unknown format, is wrong usage: 2', async () => {
    expect((await run('check')).code).toBe(2);
    expect((await run('check', '--format', 'xml', good)).code).toBe(2);
  });
});

describe('everything else', () => {
  test('schema prints a schema that takes our configs and refuses nonsense', async () => {
    const { code, out } = await run('schema');
    expect(code).toBe(0);
    const ajv = new Ajv2020({ strict: false, validateFormats: false, discriminator: true });
    const validate = ajv.compile(JSON.parse(out) as object);
    for (const name of ['configs/production.yaml', 'tests/golden/good/strategies.yaml']) {
      const file = fileURLToPath(new URL(`../../${name}`, import.meta.url));
      expect([name, validate(parse(readFileSync(file, 'utf8'))), validate.errors]).toEqual([name, true, null]);
    }
    const pools = (strategy: unknown) => ({ version: 1, pools: { p: { endpoints: ['a:1'], strategy } } });
    expect([validate(pools('p2c')), validate(pools('p3c')), validate(pools({ type: 'p3c' }))]).toEqual([
      true,
      false,
      false,
    ]);
    expect(validate({ version: 1, pool: {} })).toBe(false);
    const free = {
      version: 1,
      'x-common': { a: 1 },
      pools: { p: { endpoints: [{ address: 'a:1', 'x-rack': 'b' }], 'x-y': [] } },
    };
    expect([validate(free), validate.errors]).toEqual([true, null]);
  });

  test('help and version exit with 0, what nobody knows with 2', async () => {
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect((await run('--help')).out).toContain('Exit codes');
    expect((await run('--colour')).code).toBe(2);
    expect((await run('dance')).code).toBe(2);
    expect((await run()).code).toBe(2);
  });

  test('a config with problems does not start: 1, and the problems are shown', async () => {
    const { code, err } = await run('--config', bad);
    expect(code).toBe(1);
    expect(err).toContain('unknown setting colour');
  });
});
