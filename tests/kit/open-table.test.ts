import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberHash, OpenTable, textHash } from '../../src/kit/open-table.ts';

const step = fc.record({ key: fc.nat(40), value: fc.option(fc.nat(), { nil: null }) });

test.each([
  ['spread', textHash],
  ['all in one place', () => 7],
  ['at the end of the table', () => -1],
])('it is what a Map is: keys whose hashes are %s', (_, hash) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const table = new OpenTable<string, number>(hash);
      const map = new Map<string, number>();
      for (const { key, value } of steps) {
        const name = `key-${key}`;
        if (value === null) expect(table.delete(name)).toBe(map.delete(name));
        else {
          table.set(name, value);
          map.set(name, value);
        }
        expect(table.size).toBe(map.size);
      }
      for (let key = 0; key <= 40; key++) expect(table.get(`key-${key}`)).toBe(map.get(`key-${key}`));
      const ascending = (a: number, b: number): number => a - b;
      expect(table.values().toSorted(ascending)).toEqual([...map.values()].toSorted(ascending));
      table.clear();
      expect([table.size, table.values(), table.get('key-1')]).toEqual([0, [], undefined]);
    }),
  );
});

test('numbers up to 2^53 are keys, and near ones do not meet', () => {
  const table = new OpenTable<number, string>(numberHash);
  const keys = Array.from({ length: 5000 }, (_, i) => i * 2 ** 31);
  for (const key of keys) table.set(key, String(key));
  for (const key of keys) expect(table.get(key)).toBe(String(key));
  expect(new Set(keys.map(numberHash)).size).toBeGreaterThan(4990);
});
