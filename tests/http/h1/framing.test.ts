import { describe, expect, test } from 'vitest';
import { Fields } from '../../../src/http/fields.ts';
import { BodyFraming, requestFraming, responseFraming } from '../../../src/http/h1/framing.ts';
import { parseRequestHead, RequestHead, ReceivedHead } from '../../../src/http/h1/parser.ts';
import { CHUNKED, LENGTH, NO_BODY, UNTIL_CLOSE } from '../../../src/http/h1/framing.ts';

function fieldsOf(lines: string): Fields {
  const bytes = Buffer.from(`GET / HTTP/1.1\r\n${lines}\r\n`, 'latin1');
  const fields = new Fields();
  parseRequestHead(
    bytes,
    0,
    bytes.length,
    { headerSize: 4096, headerCount: 50, uriSize: 100 },
    new RequestHead(),
    fields,
  );
  return fields;
}

function headOf(status: number): ReceivedHead {
  return Object.assign(new ReceivedHead(), { status });
}

describe('requestFraming', () => {
  test.each([
    ['', 1, 0, NO_BODY],
    ['Content-Length: 5\r\n', 1, 0, LENGTH],
    ['Content-Length: 0\r\n', 1, 0, NO_BODY],
    ['Transfer-Encoding: Chunked\r\n', 1, 0, CHUNKED],
    ['Content-Length: 5\r\nContent-Length: 5\r\n', 1, 400, null],
    ['Content-Length: 5, 5\r\n', 1, 400, null],
    ['Content-Length: +5\r\n', 1, 400, null],
    ['Content-Length: 0x5\r\n', 1, 400, null],
    ['Content-Length:\r\n', 1, 400, null],
    ['Content-Length: 9999999999999999\r\n', 1, 400, null],
    ['Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 1, 400, null],
    ['Transfer-Encoding: chunked\r\n', 0, 400, null],
    ['Transfer-Encoding: chunked, chunked\r\n', 1, 400, null],
    ['Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 1, 400, null],
    ['Transfer-Encoding: chunked;a=b\r\n', 1, 400, null],
    ['Transfer-Encoding:\r\n', 1, 400, null],
    ['Transfer-Encoding: gzip, chunked\r\n', 1, 501, null],
    ['Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n', 1, 501, null],
    ['Transfer-Encoding: foo;a=b, CHUNKED\r\n', 1, 501, null],
    ['Transfer-Encoding: xchunked\r\n', 1, 400, null],
    ['Transfer-Encoding: gzip\r\n', 1, 400, null],
    ['Transfer-Encoding: chunked, gzip\r\n', 1, 400, null],
    ['Transfer-Encoding: gzip, chunked;a=b, chunked\r\n', 1, 400, null],
    ['Transfer-Encoding: ,chunked\r\n', 1, 400, null],
  ])('%j in HTTP/1.%i is %i', (lines, minor, status, kind) => {
    const framing = new BodyFraming();
    expect(requestFraming(fieldsOf(lines), minor, framing)).toBe(status);
    if (kind !== null) expect(framing.kind).toBe(kind);
  });
});

describe('responseFraming', () => {
  test.each([
    ['', 200, 'GET', UNTIL_CLOSE],
    ['Content-Length: 5\r\n', 200, 'GET', LENGTH],
    ['Content-Length: 5\r\n', 200, 'HEAD', NO_BODY],
    ['Content-Length: 5\r\n', 304, 'GET', NO_BODY],
    ['Transfer-Encoding: chunked\r\n', 200, 'GET', CHUNKED],
    ['', 204, 'GET', NO_BODY],
  ])('%j with %i to %s', (lines, status, method, kind) => {
    const framing = new BodyFraming();
    expect(responseFraming(fieldsOf(lines), headOf(status), method, false, framing)).toBe(true);
    expect(framing.kind).toBe(kind);
  });

  test.each([
    'Content-Length: 5\r\nContent-Length: 6\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip\r\n',
    'Transfer-Encoding: foo\r\n',
    'Transfer-Encoding: chunk\r\n',
    'Transfer-Encoding: trailers\r\n',
  ])('%j is not believed', (lines) =>
    expect(responseFraming(fieldsOf(lines), headOf(200), 'GET', false, new BodyFraming())).toBe(false),
  );
});

describe('a Content-Length goes on in canonical digits', () => {
  test.each([
    ['Content-Length: 5\r\n', 'Content-Length: 5\r\n'],
    ['content-length:5\r\n', 'content-length:5\r\n'],
    ['Content-Length: 0\r\n', 'Content-Length: 0\r\n'],
    ['Content-Length: 010\r\n', 'Content-Length: 10\r\n'],
    ['Content-Length: 00\r\n', 'Content-Length: 0\r\n'],
    ['Content-Length:\t5\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length:  5\r\n', 'Content-Length: 5\r\n'],
    ['Content-Length: 5 \r\n', 'Content-Length: 5\r\n'],
    ['Content-Length: 5\t\r\n', 'Content-Length: 5\r\n'],
  ])('%j as %j', (lines, sent) => {
    const [asked, answered] = [fieldsOf(lines), fieldsOf(lines)];
    expect(requestFraming(asked, 1, new BodyFraming())).toBe(0);
    expect(responseFraming(answered, headOf(200), 'HEAD', false, new BodyFraming())).toBe(true);
    expect([asked.lines(), answered.lines()]).toEqual([sent, sent]);
  });
});

describe('several Content-Lengths that say the same, where they are one', () => {
  const judged = (lines: string): [boolean, string] => {
    const fields = fieldsOf(lines);
    return [responseFraming(fields, headOf(200), 'GET', true, new BodyFraming()), fields.lines()];
  };

  test.each([
    'Content-Length: 5\r\nContent-Length: 5\r\n',
    'Content-Length: 5,5\r\n',
    'Content-Length: 5, 5\r\nContent-Length:\t5\r\n',
    'Content-Length: 5\r\n',
  ])('%j', (lines) => expect(judged(lines)).toEqual([true, 'Content-Length: 5\r\n']));

  test.each([
    'Content-Length: 5\r\nContent-Length: 6\r\n',
    'Content-Length: 5\r\nContent-Length: 05\r\n',
    'Content-Length: 5,\r\n',
    'Content-Length: 5,,5\r\n',
    'Content-Length: 5\r\nContent-Length:\r\n',
    'Content-Length: a, a\r\n',
    'Content-Length: 5\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n',
  ])('%j is not believed', (lines) => expect(judged(lines)[0]).toBe(false));
});
