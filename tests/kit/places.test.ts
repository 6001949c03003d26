import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Places } from '../../src/kit/places.ts';

class Item {
  place = -1;
}

test('it holds what a Set would hold, whatever enters and leaves, also while it is gone through', () => {
  const step = fc.record({ item: fc.nat(20), enters: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), fc.array(fc.option(step, { nil: null })), (before, meanwhile) => {
      const items = Array.from({ length: 21 }, () => new Item());
      const places = new Places<Item>();
      const set = new Set<Item>();
      const apply = ({ item: index, enters }: { item: number; enters: boolean }): void => {
        const item = items[index]!;
        if (enters && item.place < 0) {
          item.place = places.enter(item);
          set.add(item);
        } else if (!enters && item.place >= 0) {
          places.leave(item.place);
          item.place = -1;
          set.delete(item);
        }
        expect(places.size).toBe(set.size);
      };
      before.forEach(apply);
      expect(new Set(places)).toEqual(set);
      for (const item of items) if (item.place >= 0) expect(places.at(item.place)).toBe(item);

      const stayed = new Set(set);
      const came: Item[] = [];
      let next = 0;
      for (const item of places) {
        expect(set.has(item)).toBe(true);
        came.push(item);
        const change = meanwhile[next++];
        if (change == null) continue;
        apply(change);
        stayed.delete(items[change.item]!);
      }
      // One that neither left nor entered meanwhile comes exactly once.
      expect(came.filter((item) => stayed.has(item)).length).toBe(stayed.size);
      for (const item of stayed) expect(came).toContain(item);
      expect(new Set(places)).toEqual(set);
    }),
  );
});

test('a place that was left is taken again, so that there are never more than there were members at a time', () => {
  const places = new Places<Item>();
  for (let round = 0; round < 1000; round++) {
    const taken = Array.from({ length: 1 + (round % 40) }, () => places.enter(new Item()));
    expect(new Set(taken).size).toBe(taken.length);
    for (const place of taken) places.leave(place);
  }
  expect([places.size, places.length]).toEqual([0, 40]);
  expect([...places]).toEqual([]);
});
