import { describe, expect, test } from 'vitest';
import { Fields } from '../../../src/http/fields.ts';
import { HOST } from '../../../src/http/known.ts';
import type { ResponsesPlan } from '../../../src/plan/types/responses.ts';
import { STRICT } from '../../support/strict-rules.ts';
import {
  FIELDS_TOO_LARGE,
  parseRequestHead,
  parseResponseHead,
  RequestHead,
  ReceivedHead,
} from '../../../src/http/h1/parser.ts';

const limits = { headerSize: 1024, headerCount: 10, uriSize: 100 };

function parse(text: string, own = limits) {
  const bytes = Buffer.from(text, 'latin1');
  const head = new RequestHead();
  const fields = new Fields();
  return { result: parseRequestHead(bytes, 0, bytes.length, own, head, fields), head, fields };
}

function parseResponse(text: string, rules: ResponsesPlan = STRICT) {
  const bytes = Buffer.from(text, 'latin1');
  const head = new ReceivedHead();
  const fields = new Fields();
  return { result: parseResponseHead(bytes, 0, bytes.length, rules, head, fields), head, fields };
}

describe('parseRequestHead', () => {
  test('reads a request', () => {
    const text = 'GET /a?b=c HTTP/1.1\r\nHost: x\r\nAccept:\t text/html \r\n\r\nrest';
    const { result, head, fields } = parse(text);
    expect(result).toBe(text.length - 4);
    expect([head.method, head.target, head.minor, head.abnormal]).toEqual(['GET', '/a?b=c', 1, false]);
    expect(fields.get('accept')).toBe('text/html');
    expect(fields.known(HOST)).toBe('x');
    expect(fields.lines()).toBe('Host: x\r\nAccept:\t text/html \r\n');
  });

  test('ignores empty lines before it, as many as a head has room for', () => {
    expect(parse('\r\nGET / HTTP/1.1\r\n\r\n').result).toBe(20);
    expect(parse('\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n').result).toBe(24);
    expect(parse('\r\n'.repeat(512)).result).toBe(0);
    expect(parse('\r\n'.repeat(513)).result).toBe(-431);
    for (const odd of ['\n', '\r\r\n', '\r\n\n', '\r\n\rG', ' \r\n'])
      expect(parse(`${odd}GET / HTTP/1.1\r\n\r\n`).result, JSON.stringify(odd)).toBe(-400);
  });

  test('asks for more at every split of a good head', () => {
    const text = 'POST /x/../y HTTP/1.0\r\nHost: x\r\nA: b\r\n\r\n';
    for (let i = 0; i < text.length; i++) expect(parse(text.slice(0, i)).result, `at ${i}`).toBe(0);
    expect(parse(text).result).toBe(text.length);
    expect(parse(text).head.abnormal).toBe(true);
  });

  test.each([
    ['/a.b/c-d?e=%2F;//', false, false],
    ['/a%62', true, false],
    ['/a;b', true, false],
    ['//a', true, false],
    ['/.a', true, false],
    ['/a\\b', true, false],
    ['/\xe9', false, true],
    ['/a?\xe9', false, true],
  ])(
    'says of %s whether its path is to be read with care (%s), and whether it is not ASCII (%s)',
    (target, care, raw) => {
      const { head, result } = parse(`GET ${target} HTTP/1.1\r\n\r\n`);
      expect([result > 0, head.target, head.abnormal, head.raw]).toEqual([true, target, care, raw]);
    },
  );

  test.each([
    ['bare LF after the request line', 'GET / HTTP/1.1\nHost: x\r\n\r\n', -400],
    ['bare LF after a field', 'GET / HTTP/1.1\r\nHost: x\n\r\n', -400],
    ['bare CR in a value', 'GET / HTTP/1.1\r\nHost: x\ry\r\n\r\n', -400],
    ['NUL in a value', 'GET / HTTP/1.1\r\nHost: x\0\r\n\r\n', -400],
    ['DEL in a value', 'GET / HTTP/1.1\r\nHost: \x7f\r\n\r\n', -400],
    ['white space before a colon', 'GET / HTTP/1.1\r\nHost : x\r\n\r\n', -400],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n', -400],
    ['a line that begins with a tab', 'GET / HTTP/1.1\r\n\tHost: x\r\n\r\n', -400],
    ['no name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', -400],
    ['no colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', -400],
    ['two spaces in the request line', 'GET  / HTTP/1.1\r\n\r\n', -400],
    ['a tab in the request line', 'GET\t/ HTTP/1.1\r\n\r\n', -400],
    ['no version', 'GET /\r\n\r\n', -400],
    ['a space after the version', 'GET / HTTP/1.1 \r\n\r\n', -400],
    ['a lower-case version', 'GET / http/1.1\r\n\r\n', -400],
    ['HTTP/2.0', 'GET / HTTP/2.0\r\n\r\n', -505],
    ['the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', -505],
    ['a fragment', 'GET /#a HTTP/1.1\r\n\r\n', -400],
    ['TLS', '\x16\x03\x01\x02\x00', -400],
    ['a long target', `GET /${'a'.repeat(100)} HTTP/1.1\r\n\r\n`, -414],
    ['many fields', `GET / HTTP/1.1\r\n${'a: b\r\n'.repeat(11)}\r\n`, -431],
    ['a long head', `GET / HTTP/1.1\r\nA: ${'b'.repeat(1100)}\r\n\r\n`, -431],
  ])('refuses %s', (_, text, status) => expect(parse(text).result).toBe(status));
});

describe('parseResponseHead', () => {
  test('reads a response', () => {
    const { result, head } = parseResponse('HTTP/1.1 404 Not Found\r\nA: b\r\n\r\n');
    expect(result).toBe(32);
    expect([head.status, head.reason, head.minor]).toEqual([404, 'Not Found', 1]);
    expect(parseResponse('HTTP/1.0 200\r\n\r\n').head.status).toBe(200);
  });

  test('asks for more at every split of a good head', () => {
    const text = 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n';
    for (let i = 0; i < text.length; i++) expect(parseResponse(text.slice(0, i)).result, `at ${i}`).toBe(0);
  });

  test('its size, its fields and its status have the limits that the rules say', () => {
    const long = `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}\r\n\r\n`;
    const many = `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(300)}\r\n`;
    for (const text of [long, many]) {
      expect(parseResponse(text).result).toBe(FIELDS_TOO_LARGE);
      expect(parseResponse(text, { ...STRICT, headerSize: 80_000, headerCount: 300 }).result).toBe(text.length);
    }
    for (const status of ['600', '999'])
      expect(parseResponse(`HTTP/1.1 ${status} X\r\n\r\n`, { ...STRICT, statusAbove599: true }).head.status).toBe(
        Number(status),
      );
    for (const status of ['600', '999', '099', '000'])
      expect(parseResponse(`HTTP/1.1 ${status} X\r\n\r\n`).result).toBe(-502);
    expect(parseResponse('HTTP/1.1 099 X\r\n\r\n', { ...STRICT, statusAbove599: true }).result).toBe(-502);
  });

  test.each([
    'HTTP/2.0 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\nA: b\n\n',
    'ICY 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
  ])('refuses %j', (text) => expect(parseResponse(text).result).toBe(-502));
});
