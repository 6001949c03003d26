/** `prozy plan`: what it tells, against files and running gateways, and how it ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { PlanReport } from '../../src/cli/plan-against.ts';
import { run, start } from '../support/command.ts';
import { testGateway } from '../support/gateway.ts';
import { getJson } from '../support/requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, config: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

const golden = (name: string): string => fileURLToPath(new URL(`../golden/diff/${name}`, import.meta.url));

describe('against a file', () => {
  test('nothing would change: 0', async () => {
    const { code, out } = await run('plan', golden('nothing/after.yaml'), '--against', golden('nothing/before.yaml'));
    expect([code, out.split('\n').slice(2)]).toEqual([0, ['Nothing would change.', '']]);
  });

  test('something would: 2, without colour where nobody sees it', async () => {
    const { code, out } = await run('plan', golden('routes/after.yaml'), '--against', golden('routes/before.yaml'));
    expect(code).toBe(2);
    expect(out).toContain('\n+ route beta is added as number 6, before api\n    takes requests from api\n');
  });

  test('as JSON', async () => {
    const files = [golden('acls/after.yaml'), '--against', golden('acls/before.yaml')];
    const { code, out } = await run('plan', ...files, '--format', 'json');
    expect(code).toBe(2);
    // The command's own form.
    const report = JSON.parse(out) as PlanReport;
    expect(report.changes[0]).toMatchObject({ kind: 'listener', name: 'open', access: { effect: 'loosened' } });
  });

  test('without --against all of it is new: 2', async () => {
    const { code, out } = await run('plan', golden('acls/before.yaml'));
    expect(code).toBe(2);
    expect(out).toContain('+3 listeners, +3 routes');
  });
});

test('problems of either file: 1', async () => {
  const bad = written('bad.json', { version: 1, colour: 'red' });
  const good = written('good.json', { version: 1, listeners: { web: { address: '127.0.0.1:0' } } });
  for (const args of [[bad], [bad, '--against', good], [good, '--against', bad]]) {
    const { code, out, err } = await run('plan', ...args);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('unknown setting colour');
  }
  const none = await run('plan', good, '--against', '127.0.0.1:9');
  expect([none.code, none.out]).toEqual([1, '']);
  expect(none.err).toContain('127.0.0.1:9 does not answer');
});

test('wrong usage is neither a problem nor a change: 64', async () => {
  const good = written('good.json', { version: 1 });
  for (const args of [[], [good, '--format', 'xml'], [good, '--colour'], [good, 'more']])
    expect((await run('plan', ...args)).code).toBe(64);
  expect((await run('plan', '--help')).code).toBe(0);
});

describe('against a running gateway', () => {
  const config = (token: string, more: object = {}): Record<string, unknown> => ({
    version: 1,
    admin: { address: '127.0.0.1:0' },
    logging: { access: { path: 'access.log' } },
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { app: { endpoints: ['127.0.0.1:9'] } },
    routes: [
      {
        name: 'all',
        match: {},
        pool: 'app',
        policies: [{ type: 'headers', request: { set: { authorization: `Bearer ${token}` } } }],
      },
    ],
    ...more,
  });

  test('no secret is told, and the same secret is no change', async () => {
    await using gateway = await testGateway(config('${env:TOKEN}'), { env: { TOKEN: 'hush-hush' } });
    const admin = `127.0.0.1:${gateway.adminPort()}`;
    expect(JSON.stringify(await getJson(gateway.adminPort(), '/plan'))).not.toContain('hush');
    const file = written('same.json', config('${env:TOKEN}'));
    const asked = async (token: string): Promise<[number | null, string]> => {
      await using command = start(['plan', file, '--against', admin], { TOKEN: token });
      const { code, out } = await command.end();
      return [code, out];
    };
    const [code, out] = await asked('hush-hush');
    expect([code, out]).toEqual([0, expect.stringContaining('generation 1\n\nNothing would change.')]);
    expect(out).toContain('The file has references');
    const [otherCode, other] = await asked('hush-not');
    expect(otherCode).toBe(2);
    expect(other).toContain('policies.headers.request.set.authorization  … → …');
    expect(other).not.toContain('hush');
  });

  test('changes are told', async () => {
    await using gateway = await testGateway(config('x'));
    const file = written('other.json', config('x', { pools: { app: { endpoints: ['127.0.0.1:9', '127.0.0.1:10'] } } }));
    const { code, out } = await run('plan', file, '--against', `http://127.0.0.1:${gateway.adminPort()}`);
    expect([code, out]).toEqual([2, expect.stringContaining('+ endpoint app/127.0.0.1:10 is added')]);
  });
});
