import { describe, expect, test } from 'vitest';
import { Fields } from '../../../src/http/fields.ts';
import { parseForgiving } from '../../../src/http/h1/lenient-head.ts';
import { parseResponseHead, ReceivedHead } from '../../../src/http/h1/parser.ts';
import type { ResponsesPlan } from '../../../src/plan/types/responses.ts';
import { STRICT } from '../../support/strict-rules.ts';

function parse(text: string, rules: Partial<ResponsesPlan>, parser = parseForgiving) {
  const bytes = Buffer.from(text, 'latin1');
  const fields = new Fields();
  const head = new ReceivedHead();
  const result = parser(bytes, 0, bytes.length, { ...STRICT, ...rules }, head, fields);
  return { result, head, fields };
}

/** What is wrong with each is forgiven by one rule and by no other. */
const FAULTS: readonly (readonly [keyof ResponsesPlan, string, string])[] = [
  ['bareLf', 'HTTP/1.1 200 OK\nA: b\nC: d\n\n', 'A: b\r\nC: d\r\n'],
  ['bareLf', 'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\n', 'A: b\r\nC: d\r\n'],
  ['bareLf', 'HTTP/1.1 200\n\n', ''],
  ['foldedLines', 'HTTP/1.1 200 OK\r\nA: b\r\n\t c\r\n d\r\nC: d\r\n\r\n', 'A: b c d\r\nC: d\r\n'],
  ['foldedLines', 'HTTP/1.1 200 OK\r\nA: b\r\n \r\n\r\n', 'A: b \r\n'],
  ['spaceBeforeColon', 'HTTP/1.1 200 OK\r\nA \t: b\r\n\r\n', 'A: b\r\n'],
  [
    'spaceBeforeColon',
    'HTTP/1.1 200 OK\r\nA: b : c\r\nContent-Length : 3\r\n\r\n',
    'A: b : c\r\nContent-Length: 3\r\n',
  ],
];

describe.each(FAULTS)('%s in %j', (rule, text, lines) => {
  test('is forgiven by its rule and no other', () => {
    const { result, fields, head } = parse(`${text}rest`, { [rule]: true });
    expect([result, fields.lines(), head.status, head.rewritten]).toEqual([text.length, lines, 200, true]);
    expect(parse('HTTP/1.1 200 OK\r\n\r\n', { [rule]: true }).head.rewritten).toBe(false);
    expect(parse(text, {}, parseResponseHead).result).toBe(-502);
    const others = { bareLf: true, foldedLines: true, spaceBeforeColon: true, [rule]: false };
    expect(parse(text, others).result).toBe(-502);
  });

  test('waits for more at every split', () => {
    for (let i = 1; i < text.length; i++) expect(parse(text.slice(0, i), { [rule]: true }).result, `at ${i}`).toBe(0);
  });
});

test.each([
  'SSH-2.0-OpenSSH_9.9\r\n',
  '220 mail.example ESMTP\n',
  '\n\nHTTP/1.1 200 OK\n\n',
  'HTTP/1.1 200 OK\n A: b\n\n',
  'HTTP/1.1 200 OK\nA: b\rC: d\n\n',
  'HTTP/1.1 200 OK\nA: b\0\n\n',
  'HTTP/1.1 200 OK\nA b: c\n\n',
  'HTTP/1.1 200 OK\n: c\n\n',
  'HTTP/1.1 200 OK\n\r\r\n',
  `HTTP/1.1 200 OK\nA: ${'b'.repeat(70_000)}`,
  `HTTP/1.1 200 OK\n${'A: b\n'.repeat(300)}\n`,
])('%j is refused whatever is forgiven', (text) => {
  const rules = { bareLf: true, foldedLines: true, spaceBeforeColon: true };
  expect(parse(text, rules).result).toBe(-502);
});
