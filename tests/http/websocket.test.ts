import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closeFrame, FrameReader } from '../../src/http/websocket.ts';

function frame(opcode: number, length: number, masked: boolean): Buffer {
  const mask = masked ? 0x80 : 0;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, mask | length])
      : length < 65_536
        ? Buffer.from([opcode, mask | 126, length >> 8, length & 0xff])
        : Buffer.from([
            opcode,
            mask | 127,
            0,
            0,
            0,
            0,
            (length >> 24) & 0xff,
            (length >> 16) & 0xff,
            (length >> 8) & 0xff,
            length & 0xff,
          ]);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0, 0x88), Buffer.alloc(length, 0x88)]);
}

const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2, 9, 10),
    length: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(125, 126, 127, 65_535, 65_536)),
    masked: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

test('it knows where frames end, however the bytes come', () => {
  fc.assert(
    fc.property(
      frames,
      fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 20 }),
      (list, cuts) => {
        const all = list.map(({ opcode, length, masked }) => frame(opcode, length, masked));
        const ends = new Set<number>();
        let sum = 0;
        for (const one of all) ends.add((sum += one.length));
        const bytes = Buffer.concat(all);
        const reader = new FrameReader();
        let at = 0;
        for (let i = 0; at < bytes.length; i++) {
          const end = Math.min(bytes.length, at + cuts[i % cuts.length]!);
          const stop = reader.read(bytes, at, end, true);
          // Up to the first end of a frame in these bytes, or else through all of them.
          const first = [...ends].find((one) => one > at && one <= end);
          expect([stop, reader.between]).toEqual([first ?? end, first !== undefined]);
          reader.read(bytes, stop, end, false);
          expect([reader.between, reader.closed]).toEqual([ends.has(end), false]);
          at = end;
        }
      },
    ),
  );
});

test.each([false, true])('a Close is known when it is whole; masked: %s', (masked) => {
  const bytes = closeFrame(1012, masked ? Buffer.from([1, 2, 3, 4]) : null);
  const reader = new FrameReader();
  reader.read(bytes, 0, bytes.length - 1, false);
  expect(reader.closed).toBe(false);
  reader.read(bytes, bytes.length - 1, bytes.length, false);
  expect([reader.closed, reader.between]).toEqual([true, true]);
  const body = bytes.subarray(-2).map((byte, i) => (masked ? byte ^ [1, 2][i]! : byte));
  expect(Buffer.from(body).readUInt16BE()).toBe(1012);
});
