/** Certificates in configs: what the check says of them and where, and what counts as part of the config. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Compiled, compileOnce } from '../../src/runtime/compile/compile.ts';
import { certificatePath, pem } from '../support/certificates.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(certificate: string, tls = '{ certificates: [site] }', env = {}): Compiled {
  const file = join(folder, 'gateway.yaml');
  const config = [
    'version: 1',
    'certificates:',
    `  site: ${certificate}`,
    'listeners:',
    `  web: { address: "127.0.0.1:0", tls: ${tls} }`,
    '',
  ];
  writeFileSync(file, config.join('\n'));
  return compileOnce(file, env);
}

/** Each problem: its place, its message and its hint. */
function problemsOf({ plan, problems }: Compiled): string[] {
  expect(plan).toBeNull();
  return problems.map(({ line, column, message, hint = '' }) => `${line}:${column} ${message} | ${hint}`);
}

function place(file: string, as = file): string {
  copyFileSync(certificatePath(file), join(folder, as));
  return as;
}

test('a pair of files, relative to the config, is what the plan says it is', () => {
  place('site.pem');
  place('site.key');
  const { plan, files } = check('{ cert: ./site.pem, key: ./site.key }');
  const [one] = plan!.certificates;
  expect(one).toMatchObject({
    name: 'site',
    keyType: 'ec',
    names: ['localhost', 'site.example', '127.0.0.1'],
    subject: 'CN=site',
    issuer: 'O=Test, CN=Test Intermediate',
  });
  expect(one).toHaveProperty(
    'chain',
    expect.stringMatching(/^(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n){2}$/),
  );
  expect(files).toEqual(expect.arrayContaining([join(folder, 'site.pem'), join(folder, 'site.key')]));
  expect(plan!.listeners[0]!.tls).toMatchObject({ certificates: ['site'], unknownName: 'default', minVersion: '1.2' });
});

test('texts by reference; an edit of a file is another config, another text of the same key is not refused', () => {
  place('site.pem');
  place('site.key');
  const before = check('{ cert: "${file:site.pem}", key: "${env:KEY}" }', undefined, { KEY: pem('site.key') });
  expect(before.plan!.certificates[0]!.names).toContain('site.example');
  const files = check('{ cert: site.pem, key: site.key }');
  place('renewed.pem', 'site.pem');
  place('renewed.key', 'site.key');
  const after = check('{ cert: site.pem, key: site.key }');
  expect(after.digest).not.toBe(files.digest);
  expect(after.plan!.certificates).not.toEqual(files.plan!.certificates);
});

test.each([
  ['a missing file', 'none.pem', 'site.key', /^3:17 cannot read .*none\.pem: ENOENT/],
  ['a key in place of a certificate', 'site.key', 'site.key', /^3:17 there is no certificate in it \| it must be PEM/],
  ['a certificate in place of a key', 'site.pem', 'site.pem', /^3:32 the private key is damaged/],
  ['the key of another', 'site.pem', 'shop.key', /^3:32 it does not belong to the certificate \| $/],
  ['an encrypted key', 'site.pem', 'encrypted.key', /^3:37 it is encrypted with a passphrase \| decrypt it/],
  ['a short RSA key', 'weak.pem', 'weak.key', /an RSA key of 1024 bits is too short \| use at least 2048/],
])('%s is a problem at its place', (_, cert, key, message) => {
  for (const file of ['site.pem', 'site.key', 'shop.key', 'weak.pem', 'weak.key', 'encrypted.key']) place(file);
  const [problem, ...others] = problemsOf(check(`{ cert: ${cert}, key: ${key} }`));
  expect(others).toEqual([]);
  expect(problem!.replace(/^3:\d+/, (at) => at)).toMatch(new RegExp(message.source.replace(/^\^3:\d+/, '^3:\\d+')));
  expect(problem).toMatch(/^3:/);
});

test('half a file, a chain in the wrong order, a stranger in the chain', () => {
  place('site.key');
  const text = pem('site.pem');
  const blocks = text.match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----\n/g)!;
  const problemOf = (cert: string): string => {
    writeFileSync(join(folder, 'site.pem'), cert);
    return problemsOf(check('{ cert: site.pem, key: site.key }')).join('\n');
  };
  expect(problemOf(text.slice(0, 300))).toContain('there is no certificate in it');
  expect(problemOf(`${blocks[0].slice(0, 200)}\n-----END CERTIFICATE-----\n`)).toContain(
    'certificate 1 of the file is damaged',
  );
  expect(problemOf(blocks.toReversed().join(''))).toContain(
    'it does not belong to the certificate | it belongs to certificate 2 of the file, which must come first',
  );
  expect(problemOf(blocks[0] + pem('ca.pem'))).toContain('certificate 2 of the file has not issued certificate 1');
});

test('names that do not exist: certificates, suites, groups', () => {
  place('site.pem');
  place('site.key');
  const tls = '{ certificates: [sit], ciphers: [TLS_AES_128_GCM_SHA265], groups: [X25519, P-265] }';
  expect(problemsOf(check('{ cert: site.pem, key: site.key }', tls))).toEqual([
    expect.stringMatching(/^5:\d+ there is no certificate sit \| did you mean site\?$/),
    expect.stringMatching(
      /^5:\d+ OpenSSL has no cipher suite TLS_AES_128_GCM_SHA265 \| did you mean TLS_AES_128_GCM_SHA256\?$/,
    ),
    expect.stringMatching(/^5:\d+ OpenSSL has no group P-265 \| $/),
  ]);
});

test('a listener with a certificate that is a problem is not another problem', () => {
  expect(problemsOf(check('{ cert: none.pem, key: none.key }'))).toHaveLength(1);
});

test('no problem and no redacted plan shows a key', () => {
  const key = pem('shop.key');
  place('site.pem');
  const compiled = check('{ cert: site.pem, key: "${env:KEY}" }', undefined, { KEY: key });
  expect(compiled.report).not.toContain(key.split('\n')[1]);
  expect(problemsOf(compiled)).toHaveLength(1);
});
