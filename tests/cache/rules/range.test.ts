import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ByteRange,
  contentRange,
  parseContentRange,
  parseRange,
  partHead,
  partsEnd,
  partsLength,
  unsatisfiedRange,
} from '../../../src/cache/rules/range.ts';

const NONE = 'unsatisfiable';
const of = (value: string | undefined, length = 10): unknown => {
  const found = parseRange(value, length);
  return Array.isArray(found) ? found.map(({ first, last }: ByteRange) => `${first}-${last}`).join(' ') : found;
};

describe('Range (RFC 9110 §14.1.2, §14.2)', () => {
  test.each([
    ['bytes=0-1', '0-1'],
    ['bytes=0-0', '0-0'],
    ['bytes=9-9', '9-9'],
    ['bytes=0-9', '0-9'],
    ['bytes=0-', '0-9'],
    ['bytes=1-', '1-9'],
    ['bytes=-1', '9-9'],
    ['bytes=-10', '0-9'],
    ['bytes=-11', '0-9'],
    ['bytes=5-100', '5-9'],
    ['bytes=05-007', '5-7'],
    [`bytes=5-${'9'.repeat(400)}`, '5-9'],
    [`bytes=-${'9'.repeat(400)}`, '0-9'],
    ['Bytes=0-1', '0-1'],
    ['bytes= 0-1', '0-1'],
    ['bytes=0-1,', '0-1'],
    ['bytes=,0-1', '0-1'],
    ['bytes=0-1, 4-5', '0-1 4-5'],
    ['bytes=4-5,0-1', '4-5 0-1'],
    ['bytes=0-1,2-3', '0-1 2-3'],
    // What overlaps is sent once, where it was asked for first (§15.3.7.2).
    ['bytes=0-5,3-7', '0-7'],
    ['bytes=8-9,0-5,3-6', '8-9 0-6'],
    ['bytes=5-,-7,0-0', '3-9 0-0'],
    ['bytes=0-,0-,0-', '0-9'],
    // What can't be had is left out as long as something can.
    ['bytes=0-1,20-30', '0-1'],
    ['bytes=-0,9-', '9-9'],
    // Nothing can.
    ['bytes=10-', NONE],
    ['bytes=10-11', NONE],
    [`bytes=${'9'.repeat(400)}-`, NONE],
    ['bytes=-0', NONE],
    ['bytes=10-,-0', NONE],
  ])('%j of 10: %s', (value, ranges) => {
    expect(of(value)).toBe(ranges);
  });

  test.each([
    undefined,
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=1',
    'bytes=a-b',
    'bytes=1-a',
    'bytes=2-1',
    'bytes=0-1,2-1',
    'bytes=0-1;2-3',
    'bytes=0-1 2-3',
    'bytes=0 -1',
    'bytes=0- 1',
    'bytes=--1',
    'bytes=0--1',
    'bytes=+0-1',
    'bytes=0x0-1',
    'bytes:0-1',
    'bytes 0-1',
    ' bytes=0-1',
    'lines=0-1',
    'bytes=0-1, bytes=2-3',
    'bytes=\u00e9-1',
  ])('%j is as if it were not there', (value) => {
    expect(of(value)).toBeNull();
  });

  test('of nothing there is nothing to send a part of', () => {
    expect(of('bytes=0-', 0)).toBe(NONE);
    expect(of('bytes=0-0', 0)).toBe(NONE);
    expect(of('bytes=-0', 0)).toBe(NONE);
    // A suffix is satisfiable, but has no Content-Range: the whole, which is empty, does as well.
    expect(of('bytes=-5', 0)).toBeNull();
  });

  test('a request for many parts gets all of it (§17.15)', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join(',');
    expect(String(of(`bytes=${many(16)}`, 1000)).split(' ')).toHaveLength(16);
    expect(of(`bytes=${many(17)}`, 1000)).toBeNull();
    expect(of(`bytes=${many(100_000)}`, 1_000_000)).toBeNull();
    expect(of(`bytes=0-1${','.repeat(1000)}`)).toBeNull();
  });
});

test('what is sent is within it, nowhere twice, and all that was asked for', () => {
  const position = fc.integer({ min: 0, max: 30 });
  const spec = fc.oneof(
    fc.tuple(position, position).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    position.map((first) => `${first}-`),
    position.map((length) => `-${length}`),
  );
  fc.assert(
    fc.property(fc.array(spec, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 25 }), (specs, length) => {
      const wanted = new Set<number>();
      for (const one of specs) {
        const [first, last] = one.split('-');
        const from = first === '' ? Math.max(0, length - Number(last)) : Number(first);
        const to = first === '' || last === '' ? length - 1 : Math.min(Number(last), length - 1);
        for (let byte = from; byte <= to; byte++) wanted.add(byte);
      }
      const found = parseRange(`bytes=${specs.join(', ')}`, length);
      if (wanted.size === 0) {
        expect(found).toBe(NONE);
        return;
      }
      const sent = (found as readonly ByteRange[]).flatMap(({ first, last }) =>
        Array.from({ length: last - first + 1 }, (_, i) => first + i),
      );
      expect(sent.toSorted((a, b) => a - b)).toEqual([...wanted].toSorted((a, b) => a - b));
    }),
  );
});

test('whatever a client sends, no range is out of bounds', () => {
  const piece = fc.oneof(
    fc.constantFrom('bytes=', '-', ',', ' ', '0', '5', '99', '9'.repeat(20)),
    fc.string({ maxLength: 2 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 0, max: 20 }), (pieces, length) => {
      const found = parseRange(pieces.join(''), length);
      if (found === null || found === NONE) return;
      for (const { first, last } of found) expect(first >= 0 && first <= last && last < length).toBe(true);
    }),
  );
});

describe('Content-Range (RFC 9110 §14.4)', () => {
  test('is written', () => {
    expect(contentRange({ first: 0, last: 4 }, 10)).toBe('bytes 0-4/10');
    expect(unsatisfiedRange(10)).toBe('bytes */10');
  });

  test.each([
    ['bytes 0-4/10', 0, 4, 10],
    ['bytes 9-9/10', 9, 9, 10],
    ['Bytes 0-4/*', 0, 4, -1],
    ['bytes 00-04/010', 0, 4, 10],
  ])('%s', (text, first, last, complete) => {
    expect(parseContentRange(text)).toEqual({ first, last, complete });
  });

  test.each([
    undefined,
    '',
    'bytes',
    'bytes 0-4',
    'bytes 0-4/',
    'bytes 0-/10',
    'bytes -4/10',
    'bytes 4-0/10',
    'bytes 0-10/10',
    'bytes 0-4/4',
    'bytes 0-0/0',
    'bytes */10',
    'bytes */*',
    'bytes=0-4/10',
    'bytes 0-4/10 ',
    'bytes  0-4/10',
    'bytes 0 -4/10',
    'bytes 0-4/10, bytes 5-9/10',
    'bytes 0-4/1e1',
    'lines 0-4/10',
    `bytes 0-${'9'.repeat(30)}/*`,
  ])('%j is none', (text) => {
    expect(parseContentRange(text)).toBeNull();
  });

  test('what is written is read', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (first, more, beyond) => {
        const last = first + more;
        expect(parseContentRange(contentRange({ first, last }, last + 1 + beyond))).toEqual({
          first,
          last,
          complete: last + 1 + beyond,
        });
      }),
    );
  });
});

describe('multipart/byteranges (RFC 9110 §14.6)', () => {
  test('parts as they stand on the wire, and how long they are', () => {
    const ranges = [
      { first: 0, last: 1 },
      { first: 8, last: 9 },
    ];
    const body = '0123456789';
    const text = `${ranges.map((one) => partHead('B', 'text/plain', one, 10) + body.slice(one.first, one.last + 1)).join('')}${partsEnd('B')}`;
    expect(text).toBe(
      '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01' +
        '\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--B--\r\n',
    );
    expect(partsLength('B', 'text/plain', ranges, 10)).toBe(text.length);
  });

  test('a representation without a type has parts without one', () => {
    expect(partHead('B', undefined, { first: 0, last: 1 }, 10)).toBe('\r\n--B\r\nContent-Range: bytes 0-1/10\r\n\r\n');
  });
});
