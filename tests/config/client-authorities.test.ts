/** The authorities of client certificates in configs: what the check says of them, and where. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

/** `lines`: below `tls`, with an indent of six. */
function check(lines: readonly string[]): Compiled {
  const file = join(folder, 'gateway.yaml');
  const { cert, key } = { cert: certificatePath('names.pem'), key: certificatePath('names.key') };
  const config = [
    'version: 1',
    `certificates: { names: { cert: ${cert}, key: ${key} } }`,
    'listeners:',
    '  web:',
    '    address: "127.0.0.1:0"',
    '    tls:',
    '      certificates: [names]',
    ...lines.map((line) => `      ${line}`),
    '',
  ];
  writeFileSync(file, config.join('\n'));
  return compileOnce(file, {});
}

function place(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}

/** Each problem: its place, its message and its hint. */
function problemsOf({ plan, problems }: Compiled): string[] {
  expect(plan).toBeNull();
  return problems.map(({ line, column, message, hint = '' }) => `${line}:${column} ${message} | ${hint}`);
}

test('the plan holds the authorities and the lists; a name has the settings that it does not set from its listener', () => {
  place('ca.pem', pem('ca.pem'));
  place('clients.crl', pem('clients.crl.pem'));
  const { plan, files } = check([
    'client_auth: { ca: ./ca.pem, crl: ./clients.crl }',
    'min_version: "1.3"',
    'names:',
    '  Admin.Example.com: { client_auth: { ca: ./ca.pem, mode: optional, depth: 0 } }',
    '  "*.example.com": { client_auth: { mode: none } }',
    '  other.example.com: { min_version: "1.2" }',
  ]);
  const { clientAuth, names, ciphers } = plan!.listeners[0]!.tls!;
  expect(clientAuth).toMatchObject({
    mode: 'required',
    depth: 4,
    authorities: { subjects: ['CN=Test CA,O=Test'], ca: pem('ca.pem') },
  });
  expect(clientAuth!.authorities.crl.match(/BEGIN X509 CRL/g)).toHaveLength(2);
  expect(names).toMatchObject([
    { name: 'admin.example.com', minVersion: '1.3', ciphers, clientAuth: { mode: 'optional', depth: 0 } },
    { name: '*.example.com', minVersion: '1.3', clientAuth: null },
    { name: 'other.example.com', minVersion: '1.2', clientAuth },
  ]);
  expect(files).toEqual(expect.arrayContaining([join(folder, 'ca.pem'), join(folder, 'clients.crl')]));
});

test('each mistake is a problem at its place', () => {
  place('half.pem', pem('ca.pem').replace(/.{200}(?=\n-----END)/s, ''));
  place('half.crl', pem('clients.crl.pem').replace(/.{100}(?=\n-----END)/s, ''));
  place('der.crl', 'binary');
  place('key.pem', pem('site.key'));
  const ca = certificatePath('ca.pem');
  expect(problemsOf(check(['client_auth: {}']))).toEqual([
    '8:20 needs the authorities that issue client certificates | such as ca: ./tls/clients-ca.pem',
  ]);
  expect(problemsOf(check(['client_auth: { ca: ./none.pem }']))[0]).toMatch(/^8:26 cannot read .*none\.pem/);
  expect(problemsOf(check(['client_auth: { ca: ./key.pem }']))).toEqual([
    '8:26 there is no certificate in it | it must be PEM: -----BEGIN CERTIFICATE-----',
  ]);
  expect(problemsOf(check(['client_auth: { ca: ./half.pem }']))).toEqual([
    '8:26 certificate 1 of the file is damaged, or only half of it is written | ',
  ]);
  expect(problemsOf(check(['client_auth:', `  ca: ${ca}`, '  crl: [./der.crl, ./half.crl]']))).toEqual([
    '10:15 there is no revocation list in it | it must be PEM: openssl crl -inform DER -in LIST -out LIST.pem',
    '10:26 revocation list 1 of the file is damaged, or only half of it is written | ',
  ]);
  place('other.crl', pem('clients.crl.pem').split(/(?<=-----END X509 CRL-----\n)/)[0]!);
  expect(problemsOf(check(['client_auth:', `  ca: ${ca}`, '  crl: ./other.crl']))).toEqual([
    '10:14 there is no revocation list of CN=Test CA,O=Test | without it, every certificate below that authority would be refused',
  ]);
  expect(problemsOf(check(['names: { "admin.example.com": { min_version: "1.3", ciphers: [AES] } }']))[0]).toMatch(
    /^8:69 OpenSSL has no cipher suite AES/,
  );
});

test('what would have no effect, or refuse every client, is a warning', () => {
  const ca = certificatePath('ca.pem');
  const warnings = (lines: readonly string[]): string[] => {
    const { plan, problems } = check(lines);
    expect(plan).not.toBeNull();
    return problems.map(({ line, column, level, message }) => `${line}:${column} ${level} ${message}`);
  };
  expect(warnings([`client_auth: { mode: none, ca: ${ca} }`])).toEqual([
    '8:38 warning has no effect: the mode is none',
  ]);
  expect(warnings([`client_auth: { ca: ${ca}, crl: ${certificatePath('expired.crl.pem')} }`])).toEqual([
    expect.stringContaining('warning a revocation list should have been replaced at 2020-01-02T00:00:00.000Z'),
  ]);
  expect(warnings(['names: { "a.example.org": { min_version: "1.3" } }'])).toEqual([
    '8:33 warning no certificate of the listener is for this name',
  ]);
});
