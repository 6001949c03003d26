/** The index against a model that keeps everything in a list. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Entries, replaces } from '../../../src/cache/disk/entries.ts';
import { Segment } from '../../../src/cache/disk/segment.ts';

interface Row {
  readonly hash: number;
  readonly identity: number;
  readonly kind: number;
  readonly number: number;
}

test('it finds what a list would find, the newest first, whatever came and went', () => {
  const row = fc.record({
    // Few, so that they meet; some that meet only in the table.
    hash: fc.constantFrom(1, 1 + 1024, 2, 2 ** 40 + 1, 2 ** 52),
    identity: fc.nat(2),
    kind: fc.nat(2),
  });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('insert' as const), row, old: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), row }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('segment' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const entries = new Entries();
      let model: (Row & { segment: number })[] = [];
      let [high, low] = [1_000_000, 1_000_000];
      let [first, last] = [1, 1];
      let segment = new Segment(1, 1);
      entries.addSegment(segment);
      for (const one of steps) {
        if (one.do === 'insert') {
          const number = one.old ? --low : ++high;
          const key = { ...one.row, number };
          const i = segment.add(key, [], segment.bytes, 10);
          entries.insert({ segment, i });
          const rivals = model.filter(({ hash, identity }) => hash === key.hash && identity === key.identity);
          if (rivals.some((rival) => rival.number > number && replaces(rival.kind, key.kind))) continue;
          model = model.filter(
            (rival) => !rivals.includes(rival) || rival.number > number || !replaces(key.kind, rival.kind),
          );
          model.push({ ...key, segment: last });
        } else if (one.do === 'kill') {
          const { hash, identity, kind } = one.row;
          const gone = model.filter(
            (other) => other.hash === hash && other.identity === identity && replaces(kind, other.kind),
          );
          expect(entries.killReplaced(one.row)).toBe(gone.length > 0);
          model = model.filter((other) => !gone.includes(other));
        } else if (one.do === 'segment') {
          segment = new Segment(++last, 1);
          entries.addSegment(segment);
        } else if (first < last) {
          const [oldest] = entries.segments;
          expect(oldest!.id).toBe(first);
          expect(entries.removeSegment(oldest!)).toBe(model.filter((other) => other.segment === first).length);
          model = model.filter((other) => other.segment !== first);
          first++;
        }
        expect(entries.size).toBe(model.length);
        for (const hash of new Set(model.map((other) => other.hash))) {
          const wanted = model.filter((other) => other.hash === hash).map(({ number }) => number);
          const found = entries.find(hash).map(({ segment: at, i }) => at.number(i));
          expect(found).toEqual(wanted.toSorted((a, b) => b - a));
        }
      }
      expect(entries.find(3)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test('of more responses under one key than are kept the oldest gives way', () => {
  const entries = new Entries();
  const segment = new Segment(1);
  entries.addSegment(segment);
  for (let n = 0; n < 70; n++) {
    const i = segment.add({ hash: 5, identity: n, kind: 0, number: n }, [], n * 10, 10);
    entries.insert({ segment, i });
  }
  const numbers = entries.find(5).map(({ i }) => segment.number(i));
  expect(numbers).toEqual(Array.from({ length: 64 }, (_, n) => 69 - n));
});
