/** The texts of complete replies, and the memos that make them cheap. */
import { expect, test } from 'vitest';
import { CachedReply } from '../../../src/http/cached-reply.ts';
import { FieldList } from '../../../src/http/field-list.ts';
import { ResponseEncoder } from '../../../src/http/h1/response-encoder.ts';
import { LocalReply } from '../../../src/http/local-reply.ts';
import { UNKNOWN_LENGTH } from '../../../src/http/message.ts';
import { MemoryTransport } from '../../conformance/fuzz/memory-transport.ts';

function written(write: (encoder: ResponseEncoder) => void): string {
  const transport = new MemoryTransport();
  const encoder = new ResponseEncoder(transport);
  write(encoder);
  encoder.flush();
  return transport.text;
}

const CLOSE = 'Connection: close\r\n';
const FIELDS = FieldList.of([['A', 'b']]);

test('a cached reply is assembled once, and only in the form that most clients get', () => {
  const reply = CachedReply.of(200, 'OK', FIELDS, 'hi', null);
  const head = 'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n';
  expect(written((encoder) => encoder.stored(reply, false, ''))).toBe(`${head}\r\n`);
  expect(reply.memo).toBeNull();
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}\r\nhi`);
  expect(reply.memo).toMatchObject({ text: `${head}\r\nhi` });
  const { memo } = reply;
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}\r\nhi`);
  expect(reply.memo).toBe(memo);
  expect(written((encoder) => encoder.stored(reply, false, CLOSE))).toBe(
    `HTTP/1.1 200 OK\r\n${CLOSE}${head.slice(17)}\r\n`,
  );
});

test('the memo of another codec is not sent, and a copy with another head has none', () => {
  const reply = new LocalReply(404, [['A', 'b']], 'no');
  const expected = 'HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 2\r\nDate: now\r\n\r\n';
  for (const memo of [Buffer.from('frames'), 'frames', { text: 'frames' }]) {
    reply.memo = memo;
    expect(written((encoder) => encoder.fixed(reply, true, 'Date: now\r\n'))).toBe(`${expected}no`);
    expect(written((encoder) => encoder.fixed(reply, false, 'Date: now\r\n'))).toBe(expected);
  }
  expect(reply.with('C', 'd').memo).toBeNull();
  expect(reply.under(404, 'Not Found', FieldList.NONE).memo).toBeNull();
});

test('the fields that change precede the others', () => {
  const content = FIELDS.withBody('hi', 2).kept();
  const first = FieldList.of([['Age', '5']]);
  const reply = new CachedReply(200, 'OK', first, content, null, 2);
  const expected = 'HTTP/1.1 200 OK\r\nAge: 5\r\nA: b\r\nContent-Length: 2\r\n\r\nhi';
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(expected);
  // The text of the stored response is used again, by a reply of another age and by one to a HEAD.
  const later = new CachedReply(200, 'OK', FieldList.of([['Age', '6']]), content, null, 2);
  expect(written((encoder) => encoder.stored(later, true, ''))).toBe(expected.replace('5', '6'));
  expect(written((encoder) => encoder.stored(later, false, ''))).toBe(expected.replace('5', '6').slice(0, -2));
});

test.each([
  ['no content', 204, 0],
  ['not modified', 304, 0],
  ['an unknown length', 200, UNKNOWN_LENGTH],
])('no Content-Length with %s', (_, status, length) => {
  const cached = CachedReply.of(status, '', FIELDS, '', null, length);
  expect(written((encoder) => encoder.stored(cached, false, ''))).toMatch(/^HTTP\/1\.1 \d+ [\w ]+\r\nA: b\r\n\r\n$/);
  const local = new LocalReply(status, [['A', 'b']], '').under(status, '', FIELDS, length);
  expect(written((encoder) => encoder.fixed(local, false, ''))).toMatch(/^HTTP\/1\.1 \d+ [\w ]+\r\nA: b\r\n\r\n$/);
});

test('a body that is kept as bytes follows the text', () => {
  const reply = CachedReply.of(206, '', FIELDS, '', Buffer.from('bytes'));
  const head = 'HTTP/1.1 206 Partial Content\r\nA: b\r\nContent-Length: 5\r\n\r\n';
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}bytes`);
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}bytes`);
  expect(written((encoder) => encoder.stored(reply, false, ''))).toBe(head);
});
