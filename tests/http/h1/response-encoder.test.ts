/** The texts of complete replies, and the memos that make them cheap. */
import { expect, test } from 'vitest';
import { CachedReply } from '../../../src/http/cached-reply.ts';
import { ResponseEncoder } from '../../../src/http/h1/response-encoder.ts';
import { LocalReply } from '../../../src/http/local-reply.ts';
import { MemoryTransport } from '../../conformance/fuzz/memory-transport.ts';

function written(write: (encoder: ResponseEncoder) => void): string {
  const transport = new MemoryTransport();
  const encoder = new ResponseEncoder(transport);
  write(encoder);
  encoder.flush();
  return transport.text;
}

const CLOSE = 'Connection: close\r\n';

test('a cached reply is assembled once, and only in the form that most clients get', () => {
  const reply = CachedReply.of(200, 'OK', 'A: b\r\nContent-Length: 2\r\n', 'hi', null);
  const head = 'HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n';
  expect(written((encoder) => encoder.stored(reply, false, ''))).toBe(`${head}\r\n`);
  expect(reply.memo).toBeNull();
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}\r\nhi`);
  expect(reply.memo).toBe(`${head}\r\nhi`);
  expect(written((encoder) => encoder.stored(reply, true, ''))).toBe(`${head}\r\nhi`);
  expect(written((encoder) => encoder.stored(reply, false, CLOSE))).toBe(
    `HTTP/1.1 200 OK\r\n${CLOSE}${head.slice(17)}\r\n`,
  );
});

test('the memo of another codec is not sent, and a copy with another head has none', () => {
  const reply = new LocalReply(404, [['A', 'b']], 'no');
  reply.memo = Buffer.from('frames');
  const expected = 'HTTP/1.1 404 Not Found\r\nA: b\r\nContent-Length: 2\r\nDate: now\r\n\r\n';
  expect(written((encoder) => encoder.fixed(reply, true, 'Date: now\r\n'))).toBe(`${expected}no`);
  expect(written((encoder) => encoder.fixed(reply, false, 'Date: now\r\n'))).toBe(expected);
  expect(reply.with('C: d\r\n').memo).toBeNull();
  expect(reply.under(404, 'Not Found', '').memo).toBeNull();
});
