/** `prozy certificates` and `prozy trust` against a gateway whose certificates come from its own authority. */
import { X509Certificate } from 'node:crypto';
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run, start } from '../support/command.ts';
import { testGateway, until } from '../support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = (admin = 0): object => ({
  version: 1,
  admin: { address: `127.0.0.1:${admin}` },
  certificates: { site: { issuer: 'internal', names: ['site.test', 'localhost'] } },
  listeners: { web: { address: '127.0.0.1:0', tls: { certificates: ['site'] } } },
  routes: [{ name: 'all', match: {}, respond: { status: 200 } }],
});

test('list shows where they come from and what is wrong; renew and revoke say what becomes of it', async () => {
  await using gateway = await testGateway(config(), { stateDir: join(folder, 'state') });
  const admin = `127.0.0.1:${gateway.adminPort()}`;
  const engine = gateway.running.gateway.certificates;
  await until(() => engine.statuses().every(({ state }) => state === 'valid'), 'it is issued');
  const { code, out } = await run('certificates', 'list', '--admin', admin);
  expect(code).toBe(0);
  expect(out).toMatch(/^CERTIFICATE +SOURCE +STATE +ISSUER .*NEXT ATTEMPT\nsite +issued +valid +internal +\d{4}-/);
  const listed = await run('certificates', 'list', '--format', 'json', '--admin', admin);
  expect(JSON.parse(listed.out)).toMatchObject([{ name: 'site', names: ['site.test', 'localhost'], source: 'issued' }]);

  const { notBefore } = engine.statuses()[0]!;
  const files = (): string[] => globSync('state/acme/certificates/*/*.json', { cwd: folder });
  await until(() => files().length === 1, 'it is stored');
  expect(await run('certificates', 'renew', 'site', '--admin', admin)).toMatchObject({
    code: 0,
    out: 'site: a new one is being obtained\n',
  });
  await until(() => files().length === 2, 'there is another');
  expect(engine.statuses()[0]!.notBefore).toBeGreaterThanOrEqual(notBefore);
  expect(await run('certificates', 'renew', 'other', '--admin', admin)).toMatchObject({
    code: 1,
    err: 'prozy: there is no certificate other\n',
  });
  expect(await run('certificates', 'revoke', 'site', '--admin', admin)).toMatchObject({
    code: 1,
    err: 'prozy: unsupported: the internal issuer keeps no list of revoked certificates\n',
  });
  const wrong = await run('certificates', 'revoke', 'site', '--reason', 'boredom', '--admin', admin);
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('the reason must be one of unspecified, ')]);

  const trust = await run('trust', '--admin', admin);
  expect(trust.code).toBe(0);
  const pem = (await run('trust', '--pem', '--admin', admin)).out;
  const root = new X509Certificate(pem);
  expect(trust.out).toContain(`SHA-256 ${root.fingerprint256}\n`);
  expect(trust.out).toContain('sudo update-ca-certificates');
  expect(root.ca).toBe(true);
});

test('there is nothing to trust without the internal issuer', async () => {
  const plain = { ...config(), certificates: {}, listeners: { web: { address: '127.0.0.1:0' } } };
  await using gateway = await testGateway(plain);
  const admin = `127.0.0.1:${gateway.adminPort()}`;
  expect(await run('certificates', 'list', '--admin', admin)).toMatchObject({
    code: 0,
    out: 'there are no certificates\n',
  });
  expect(await run('trust', '--admin', admin)).toMatchObject({
    code: 1,
    err: 'prozy: no certificate comes from the internal issuer\n',
  });
});

test.each([
  ['STATE_DIRECTORY', 'service:/other', 'service'],
  ['XDG_STATE_HOME', 'xdg', 'xdg/prozy'],
  ['HOME', 'home', 'home/.local/state/prozy'],
])('without a directory in the config, the keys are where %s says', async (variable, value, place) => {
  const file = join(folder, `${variable}.json`);
  writeFileSync(file, JSON.stringify(config()));
  const none = { STATE_DIRECTORY: '', XDG_STATE_HOME: '' };
  await using command = start(['--config', file], { ...none, [variable]: join(folder, value) });
  await command.says('a certificate was obtained');
  const stored = (): string[] => globSync(`${place}/acme/certificates/*/current`, { cwd: folder });
  await until(() => stored().length === 1, 'it is stored');
});
