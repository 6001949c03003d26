/** Certificates in files and folders: what a change of them does to a running gateway. */
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { certificatePath, filesOf, pair, pem } from '../support/certificates.ts';
import { simpleConfig, type TestGateway, testGateway, until } from '../support/gateway.ts';
import { get } from '../support/requests.ts';
import { RawClient } from '../support/raw-client.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts a pair into the folder: each file is replaced at once, under a name without extension. */
function place(name: string, as: string, key = name): void {
  for (const [file, path] of [
    [`${name}.pem`, `${as}.crt`],
    [`${key}.key`, `${as}.key`],
  ] as const) {
    copyFileSync(certificatePath(file), join(folder, 'new'));
    renameSync(join(folder, 'new'), join(folder, path));
  }
}

function folderConfig(certificates: object = { all: { dir: folder } }, name = 'all'): Record<string, unknown> {
  const listeners = { web: { address: '127.0.0.1:0', tls: { certificates: [name] } } };
  return simpleConfig(1, { certificates, listeners, admin: { address: '127.0.0.1:0' } });
}

/** The common name of the certificate that a client gets. */
async function served(gateway: TestGateway, servername = 'site.example'): Promise<string> {
  await using client = await RawClient.secure(gateway.port(), { servername });
  return String(client.socket.getPeerCertificate().subject.CN);
}

function reloads({ running }: TestGateway): number {
  return running.gateway.metrics.reload.results.applied;
}

async function afterReload(gateway: TestGateway, change: () => void): Promise<void> {
  const before = reloads(gateway);
  change();
  await until(() => reloads(gateway) > before, 'the files are taken up');
}

const lastLine = ({ logged }: TestGateway): string => JSON.stringify(logged.at(-1));

test('a folder: pairs come, are renewed and go; one that cannot be used leaves its last version in effect', async () => {
  place('site', 'site');
  await using gateway = await testGateway(folderConfig());
  expect(await served(gateway, 'shop.example.com')).toBe('site');
  // A subfolder, as certbot makes it, with its files a moment later.
  mkdirSync(join(folder, 'shop'));
  await afterReload(gateway, () => {
    copyFileSync(certificatePath('shop.key'), join(folder, 'shop/privkey.pem'));
    copyFileSync(certificatePath('shop.pem'), join(folder, 'shop/fullchain.pem'));
  });
  await until(() => gateway.running.gateway.current!.plan.certificates.length === 2, 'the new pair is there');
  expect(await served(gateway, 'shop.example.com')).toBe('shop');
  // Only one half is new: the other names are renewed all the same.
  await afterReload(gateway, () => {
    copyFileSync(certificatePath('site.key'), join(folder, 'shop/privkey.pem'));
    place('renewed', 'site');
  });
  await until(() => gateway.running.gateway.current!.plan.brokenCertificates.length > 0, 'the broken pair is seen');
  expect(gateway.logged.some((line) => JSON.stringify(line).includes('all/shop cannot be used'))).toBe(true);
  await until(
    () => filesOf(gateway.running.gateway.current!.plan).some(({ subject }) => subject === 'CN=renewed'),
    'the other pair is renewed',
  );
  expect([await served(gateway), await served(gateway, 'shop.example.com')]).toEqual(['renewed', 'shop']);
  await afterReload(gateway, () => rmSync(join(folder, 'shop'), { recursive: true }));
  expect(await served(gateway, 'shop.example.com')).toBe('renewed');
});

test('a mounted Secret: its new version is taken as one', async () => {
  const publish = (version: string, pair: string): void => {
    mkdirSync(join(folder, version));
    copyFileSync(certificatePath(`${pair}.pem`), join(folder, version, 'tls.crt'));
    copyFileSync(certificatePath(`${pair}.key`), join(folder, version, 'tls.key'));
    symlinkSync(version, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  publish('..1', 'site');
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name));
  await using gateway = await testGateway(folderConfig());
  expect(await served(gateway)).toBe('site');
  await afterReload(gateway, () => publish('..2', 'renewed'));
  expect(await served(gateway)).toBe('renewed');
  expect(gateway.running.gateway.metrics.reload.results.failed).toBe(0);
});

test('an expired pair is refused at its place while a valid one is in effect', async () => {
  place('site', 'site');
  const certificates = { site: { cert: join(folder, 'site.crt'), key: join(folder, 'site.key') } };
  await using gateway = await testGateway(folderConfig(certificates, 'site'));
  const { generation } = gateway.running.gateway.current!;
  for (const [name, message] of [
    ['expired', 'certificate site has expired on 2021-01-01T00:00:00.000Z; the one in effect is valid until'],
    ['future', 'certificate site is not valid before 2100-01-01T00:00:00.000Z; the one in effect is valid until'],
  ] as const) {
    place(name, 'site');
    await until(() => lastLine(gateway).includes(message), `the ${name} pair is refused`);
    const [problem] = gateway.running.reloader.reloads.last!.problems;
    expect(problem).toMatchObject({ pointer: '/certificates/site/cert', file: gateway.file, line: 1 });
    expect(await served(gateway)).toBe('site');
  }
  expect(gateway.running.gateway.current!.generation).toBe(generation);
  await afterReload(gateway, () => place('renewed', 'site'));
  expect(await served(gateway)).toBe('renewed');
});

test('an expired pair of a folder does not take the place of a valid one, nor hinder the others', async () => {
  place('site', 'site');
  await using gateway = await testGateway(folderConfig());
  await afterReload(gateway, () => {
    place('expired', 'site');
    place('shop', 'shop');
  });
  await until(() => gateway.running.gateway.current!.plan.certificates.length === 2, 'the new pair is there');
  expect([await served(gateway), await served(gateway, 'shop.example.com')]).toEqual(['site', 'shop']);
  expect(gateway.logged.some((line) => JSON.stringify(line).includes('certificate all/site has expired'))).toBe(true);
});

test('at a start an expired pair serves, and the log says so: another restart would be an outage', async () => {
  place('expired', 'site');
  await using gateway = await testGateway(folderConfig());
  expect(await served(gateway)).toBe('expired');
  expect(gateway.logged.some((line) => JSON.stringify(line).includes('certificate all/site has expired'))).toBe(true);
  // Where nothing better is in effect, another expired one takes its place.
  writeFileSync(join(folder, 'README'), '');
  await afterReload(gateway, () => place('future', 'site'));
  await until(() => filesOf(gateway.running.gateway.current!.plan)[0]!.subject === 'CN=future', 'it is taken');
  expect(await served(gateway)).toBe('future');
});

test('the admin page and the metrics show what an operator has to know, and no key', async () => {
  place('site', 'site');
  place('expired', 'old');
  await using gateway = await testGateway(folderConfig());
  const { body } = await get(gateway.adminPort(), '/certificates');
  const [old, site] = JSON.parse(body) as Record<string, unknown>[];
  expect(old).toMatchObject({ name: 'all/old', state: 'expired', not_after: '2021-01-01T00:00:00.000Z' });
  expect(old!['days_left']).toBeLessThan(0);
  expect(site).toMatchObject({
    name: 'all/site',
    source: 'file',
    file: join(folder, 'site.crt'),
    names: ['localhost', 'site.example', '127.0.0.1'],
    state: 'valid',
    issuer: 'O=Test, CN=Test Intermediate',
    key_type: 'ec',
    used_by: ['web'],
  });
  expect(site!['fingerprint']).toMatch(/^[0-9a-f]{64}$/);
  expect(site!['days_left']).toBeGreaterThan(30_000);
  const { body: metrics } = await get(gateway.adminPort(), '/metrics');
  expect(metrics).toContain('prozy_certificate_not_before_seconds{certificate="all/old"} 1577836800\n');
  expect(metrics).toContain('prozy_certificate_not_after_seconds{certificate="all/old"} 1609459200\n');
  const pages = await Promise.all(
    ['/certificates', '/plan', '/config', '/reloads/last'].map((path) => get(gateway.adminPort(), path)),
  );
  const shown = [...pages.map((page) => page.body), JSON.stringify(gateway.logged)].join('\n');
  for (const name of ['site', 'expired']) {
    expect(shown).not.toContain(pem(`${name}.key`).split('\n')[1]);
    expect(shown).not.toContain('PRIVATE KEY');
  }
});

test('explain names the certificate that a client gets', async () => {
  const names = ['site', 'site-rsa', 'wildcard', 'shop'];
  const certificates = Object.fromEntries(names.map((name) => [name, pair(name)]));
  const listeners = {
    web: { address: '127.0.0.1:0', tls: { certificates: names } },
    strict: { address: '127.0.0.1:0', tls: { certificates: ['shop'], unknown_name: 'refuse' } },
    plain: { address: '127.0.0.1:0' },
  };
  await using gateway = await testGateway(
    simpleConfig(1, { certificates, listeners, admin: { address: '127.0.0.1:0' } }),
  );
  const explained = async (host: string, listener = 'web'): Promise<unknown> => {
    const url = encodeURIComponent(`${listener === 'plain' ? 'http' : 'https'}://${host}/`);
    const { body } = await get(gateway.adminPort(), `/explain?method=GET&url=${url}&listener=${listener}`);
    return (JSON.parse(body) as { listener: { certificates?: string[] } }).listener.certificates;
  };
  for (const name of ['site.example', 'shop.example.com', 'a.example.com', 'a.b.example.com', 'unknown.example']) {
    const [first] = (await explained(name)) as string[];
    expect([name, first]).toEqual([name, await served(gateway, name)]);
  }
  expect(await explained('site.example')).toEqual(['site', 'site-rsa']);
  expect(await explained('127.0.0.1')).toEqual(['site', 'site-rsa']);
  expect(await explained('unknown.example', 'strict')).toEqual([]);
  expect(await explained('127.0.0.1', 'strict')).toEqual(['shop']);
  expect(await explained('a', 'plain')).toBeUndefined();
});
