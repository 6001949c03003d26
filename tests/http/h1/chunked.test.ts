import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ChunkedReader } from '../../../src/http/h1/chunked.ts';
import type { BodySink } from '../../../src/http/message.ts';

class Collected implements BodySink {
  text = '';
  data(bytes: Buffer, start: number, end: number): boolean {
    this.text += bytes.toString('latin1', start, end);
    return true;
  }
  end(): void {}
  fail(): void {}
  flush(): void {}
}

function read(text: string, cuts: readonly number[] = [], blanksForgiven = false) {
  const reader = new ChunkedReader(blanksForgiven);
  const sink = new Collected();
  const bytes = Buffer.from(text, 'latin1');
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  let from = 0;
  for (const end of ends) {
    if (end < from) continue;
    const part = Buffer.from(bytes.subarray(from, end));
    const stop = reader.read(part, 0, part.length, sink);
    if (stop < 0) return { ok: false, body: sink.text, reader, used: from };
    from += stop;
    if (reader.done) break;
  }
  return { ok: true, body: sink.text, reader, used: from };
}

describe('ChunkedReader', () => {
  test('reads chunks, extensions and trailers, whatever the split', () => {
    const text = '5;a=b;c="d\\"e"\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\nnext';
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 12 }), (cuts) => {
        const { ok, body, reader, used } = read(text, cuts);
        expect(ok && reader.done).toBe(true);
        expect(body).toBe('hello world');
        expect(reader.trailers?.lines()).toBe('X-Sum: 1\r\n');
        expect(used).toBe(text.length - 4);
      }),
    );
  });

  test('zeros before a size say nothing, and each chunk may have them', () => {
    const zeros = '0'.repeat(200);
    const { ok, body, reader } = read(`${zeros}5\r\nhello\r\n${zeros}a;x\r\n0123456789\r\n${zeros}\r\n\r\n`);
    expect([ok && reader.done, body]).toEqual([true, 'hello0123456789']);
  });

  test('white space behind a size is refused, and forgiven where that is wanted, in each of many chunks', () => {
    const chunks = '5      \r\nhello\r\n5;a \t\r\nhello\r\n5;a="b" \r\nhello\r\n';
    const text = `${chunks.repeat(500)}0 \r\n\r\n`;
    const { ok, body, reader } = read(text, [3, 4, 29, 1000], true);
    expect([ok && reader.done, body]).toEqual([true, 'hello'.repeat(1500)]);
    for (const one of ['5 \r\nhello\r\n', '5;a \r\nhello\r\n', '5;a=b\t\r\nhello\r\n', '0 \r\n\r\n'])
      expect(read(one).ok).toBe(false);
    for (const one of [' 5\r\n', '5 5\r\n', '5 ;\r\n', '5;a= \r\n', '5;a="b \r\n', '5 \n', `5${' '.repeat(5000)}\r\n`])
      expect(read(one, [], true).ok, JSON.stringify(one)).toBe(false);
  });

  test.each([
    ['no size', '\r\nx'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['0x', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['too many digits', '10000000000005\r\nhello\r\n'],
    ['too many digits behind zeros', '00010000000000005\r\nhello\r\n'],
    ['zeros without end', `${'0'.repeat(300)}5\r\nhello\r\n`],
    ['a bare LF after the size', '5\nhello\r\n0\r\n\r\n'],
    ['a bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
    ['data longer than said', '5\r\nhelloo\r\n0\r\n\r\n'],
    ['an extension without a name', '5;\r\nhello\r\n'],
    ['an extension without a value', '5;a=\r\nhello\r\n'],
    ['a bare CR in an extension', '5;a\rb\r\nhello\r\n'],
    ['a bare LF in an extension', '5;a\n\r\nhello\r\n'],
    ['an open quote', '5;a="b\r\nhello\r\n'],
    ['endless extensions', `5;a=${'b'.repeat(5000)}\r\nhello\r\n`],
    ['a trailer with a space before its colon', '0\r\nA : b\r\n\r\n'],
    ['an endless trailer', `0\r\nA: ${'b'.repeat(9000)}`],
  ])('refuses %s', (_, text) => expect(read(text).ok).toBe(false));
});
