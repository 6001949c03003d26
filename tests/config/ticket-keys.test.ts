/** Key files of session tickets: which are read, what is wrong with others, and that no key is ever shown. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redactedJson, redactor } from '../../src/plan/redact.ts';
import { type Compiled, compileOnce } from '../../src/runtime/compile/compile.ts';
import { certificatePath } from '../support/certificates.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prozy-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(tickets: string): Compiled {
  const file = join(folder, 'gateway.yaml');
  const config = [
    'version: 1',
    'certificates:',
    `  site: { cert: ${certificatePath('site.pem')}, key: ${certificatePath('site.key')} }`,
    'listeners:',
    `  web: { address: "127.0.0.1:0", tls: { certificates: [site], tickets: ${tickets} } }`,
    '',
  ];
  writeFileSync(file, config.join('\n'));
  return compileOnce(file, {});
}

const place = (name: string, content: string | Buffer): void => writeFileSync(join(folder, name), content);
const key = (letter: string, length = 48): Buffer => Buffer.alloc(length, letter);
const ticketsOf = ({ plan }: Compiled): unknown => plan!.listeners[0]!.tls!.tickets;

test('keys alone and in base64, in the order of files and lines, each once', () => {
  place('raw', Buffer.alloc(80, 0xff));
  place(
    'lines',
    `${key('a').toString('base64')}\r\n\n${key('b', 80).toString('base64')}\n${key('a').toString('base64')}`,
  );
  const compiled = check('{ key_files: [./raw, ./lines] }');
  const keys = [Buffer.alloc(80, 0xff), key('a'), key('b', 80)].map((one) => one.toString('base64'));
  expect(ticketsOf(compiled)).toEqual({ enabled: true, ticketKeys: keys.join(' ') });
  expect(compiled.files).toEqual(expect.arrayContaining([join(folder, 'raw'), join(folder, 'lines')]));
  const shown = redactedJson(compiled.plan, redactor('salt'));
  for (const one of keys) expect(shown).not.toContain(one);
  // Another key is another config.
  const before = compiled.digest;
  place('raw', Buffer.alloc(80, 0xfe));
  expect(check('{ key_files: [./raw, ./lines] }').digest).not.toBe(before);
});

test('without files, the gateway makes its own; disabled, files have no effect', () => {
  place('raw', key('a'));
  expect(ticketsOf(check('{}'))).toEqual({ enabled: true, ticketKeys: '' });
  const disabled = check('{ enabled: false, key_files: [./raw] }');
  expect(ticketsOf(disabled)).toEqual({ enabled: false, ticketKeys: '' });
  expect(disabled.problems.map(({ message }) => message)).toEqual(['has no effect: tickets are disabled']);
});

test('files that hold no keys are problems, each at its place', () => {
  place('short', key('a', 47));
  place('mixed', `${key('a').toString('base64')}\nnot a key\n`);
  place('empty', '');
  const many = Array.from({ length: 17 }, (_, i) => key(String.fromCharCode(97 + i)).toString('base64'));
  place('many', many.join('\n'));
  const wrong = 'it must hold keys of 48 or 80 bytes, one alone or in base64';
  for (const [file, message] of [
    ['short', wrong],
    ['mixed', wrong],
    ['empty', wrong],
    ['missing', `cannot read ${join(folder, 'missing')}: ENOENT, no such file or directory`],
    ['many', '17 keys are too many: at most 16'],
  ]) {
    const { plan, problems } = check(`{ key_files: [./${file}] }`);
    expect(plan).toBeNull();
    expect(problems.map((one) => [one.line, one.message])).toEqual([[5, message]]);
  }
});
