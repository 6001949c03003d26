/** Folders of certificates: which files belong together, and what is said of those that cannot be used. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Compiled, compileOnce } from '../../src/runtime/compile/compile.ts';
import { certificatePath, filesOf, pem } from '../support/certificates.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  mkdirSync(join(folder, 'tls'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Copies a file of the test certificates into the folder of certificates. */
function place(file: string, as: string): void {
  const path = join(folder, 'tls', as);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(certificatePath(file), path);
}

function check(listed = '[all]', more = ''): Compiled {
  const file = join(folder, 'gateway.yaml');
  const config = [
    'version: 1',
    'certificates:',
    `  all: { dir: ./tls }${more}`,
    'listeners:',
    `  web: { address: "127.0.0.1:0", tls: { certificates: ${listed} } }`,
    '',
  ];
  writeFileSync(file, config.join('\n'));
  return compileOnce(file, {});
}

function told({ problems }: Compiled): string[] {
  return problems.map(({ level, line, message, hint = '' }) => `${level} ${line} ${message} | ${hint}`);
}

test('pairs as certbot, Kubernetes and others lay them; the listener has all, in the order of their names', () => {
  // certbot: links into an archive.
  place('site.pem', '../archive/site/fullchain1.pem');
  place('site.key', '../archive/site/privkey1.pem');
  mkdirSync(join(folder, 'tls', 'site.example'));
  symlinkSync('../../archive/site/fullchain1.pem', join(folder, 'tls/site.example/fullchain.pem'));
  symlinkSync('../../archive/site/privkey1.pem', join(folder, 'tls/site.example/privkey.pem'));
  // A mounted Secret: links into a version that `..data` names.
  place('shop.pem', 'shop/..2026_01/tls.crt');
  place('shop.key', 'shop/..2026_01/tls.key');
  symlinkSync('..2026_01', join(folder, 'tls/shop/..data'));
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, 'tls/shop', name));
  place('wildcard.pem', 'any.crt');
  place('wildcard.key', 'any.key');
  place('site-rsa.pem', 'rsa.pem');
  place('site-rsa.key', 'rsa.key');
  writeFileSync(join(folder, 'tls/both.pem'), pem('renewed.pem') + pem('renewed.key'));
  writeFileSync(join(folder, 'tls/README'), 'nothing');
  const { plan, problems } = check();
  expect(problems).toEqual([]);
  const names = ['all/any', 'all/both', 'all/rsa', 'all/shop', 'all/site.example'];
  expect(plan!.listeners[0]!.tls!.certificates).toEqual(names);
  expect(filesOf(plan!).map(({ name, entry, subject }) => [name, entry, subject])).toEqual([
    ['all/any', 'all', 'CN=wildcard'],
    ['all/both', 'all', 'CN=renewed'],
    ['all/rsa', 'all', 'CN=site-rsa'],
    ['all/shop', 'all', 'CN=shop'],
    ['all/site.example', 'all', 'CN=site'],
  ]);
  expect(filesOf(plan!)[4]!.file).toBe(join(folder, 'tls/site.example/fullchain.pem'));
});

test('one of a folder by its name; a new pair is another config', () => {
  place('site.pem', 'site.pem');
  place('site.key', 'site.key');
  const before = check('[all/site]');
  expect(before.plan!.listeners[0]!.tls!.certificates).toEqual(['all/site']);
  place('shop.pem', 'shop/fullchain.pem');
  place('shop.key', 'shop/privkey.pem');
  const after = check('[all/site]');
  expect(after.digest).not.toBe(before.digest);
  expect(after.plan!.certificates.map(({ name }) => name)).toEqual(['all/shop', 'all/site']);
  expect(told(check('[all/sit]'))).toEqual(['error 5 there is no certificate all/sit | did you mean all/site?']);
});

test('a pair that cannot be used is a warning; the others are in the plan', () => {
  place('site.pem', 'site.pem');
  place('site.key', 'site.key');
  place('shop.pem', 'shop.crt');
  place('site.key', 'shop.key');
  place('wildcard.pem', 'late/tls.crt');
  place('ca.pem', 'ca.pem');
  const compiled = check();
  const path = (file: string): string => join(folder, 'tls', file);
  expect(told(compiled).toSorted()).toEqual([
    `warning 3 ${path('ca.pem')} is not used: there is no private key to it | `,
    expect.stringMatching(/^warning 3 certificate all\/late cannot be used: .*late\/tls.key: cannot read .*ENOENT/),
    `warning 3 certificate all/shop cannot be used: ${path('shop.key')}: it does not belong to the certificate | its last version stays in effect, if there is one`,
  ]);
  expect(compiled.plan!.brokenCertificates).toEqual(['all/late', 'all/shop']);
  expect(compiled.plan!.certificates.map(({ name }) => name)).toEqual(['all/site']);
  expect(compiled.report).not.toContain('PRIVATE KEY');
});

test('a folder without any pair that can be used is a problem where a listener names it', () => {
  expect(told(check())).toEqual(['error 5 there is no certificate that can be used | ']);
  place('shop.pem', 'shop.crt');
  place('site.key', 'shop.key');
  expect(told(check()).filter((one) => one.startsWith('error'))).toHaveLength(1);
});

test('a certificate is a pair or a folder', () => {
  const [both] = told(check('[all]', '\n  two: { dir: ./tls, cert: a, key: b }'));
  expect(both).toBe('error 4 needs exactly one of cert, dir, acme, issuer | ');
  const wrong = told(check('[all]', '\n  half: { cert: a }'));
  expect(wrong[0]).toBe('error 4 needs the setting key | ');
});

test('expired pairs, and those not valid yet, are told at their place', () => {
  for (const name of ['expired', 'future']) for (const end of ['pem', 'key']) place(`${name}.${end}`, `${name}.${end}`);
  expect(told(check())).toEqual([
    'warning 3 certificate all/expired has expired on 2021-01-01T00:00:00.000Z | ',
    'warning 3 certificate all/future is not valid before 2100-01-01T00:00:00.000Z | ',
  ]);
});
