/** Long work that lets others have their turn. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TimeSlicer } from '../../src/kit/time-slicing.ts';
import { ManualClock } from '../support/manual-clock.ts';

const ITEMS = Array.from({ length: 10 }, (_, i) => i);

/** Work of a tenth of a millisecond for each item. */
function work() {
  const clock = new ManualClock();
  const done: number[] = [];
  const one = (item: number): void => {
    clock.advance(0.1);
    done.push(item);
  };
  return { clock, done, one };
}

test('others have a pause after each slice', async () => {
  const { clock, done, one } = work();
  const all = new TimeSlicer(clock).each(ITEMS, one);
  const seen = [];
  for (let pauses = 0; pauses < 4; pauses++) {
    await setImmediate();
    seen.push([done.length, clock.waiting]);
    clock.advance(1);
  }
  await all;
  expect(seen).toEqual([
    [3, 1],
    [6, 1],
    [9, 1],
    [10, 0],
  ]);
  expect(done).toEqual(ITEMS);
});

test('what is urgent goes on as soon as the event loop has turned', async () => {
  const { clock, done, one } = work();
  const all = new TimeSlicer(clock, true).each(ITEMS, one);
  const seen = [done.length];
  while (done.length < ITEMS.length) {
    await setImmediate();
    if (done.length !== seen.at(-1)) seen.push(done.length);
  }
  await all;
  expect([seen, clock.waiting]).toEqual([[3, 6, 9, 10], 0]);
});

test('a slice may begin in one loop and end in the next, or between them', async () => {
  const { clock, done, one } = work();
  const slices = new TimeSlicer(clock);
  await slices.each([1, 2], one);
  await slices.turn();
  expect(clock.waiting).toBe(0);
  const next = slices.each([3, 4], one);
  expect([done, clock.waiting]).toEqual([[1, 2, 3], 1]);
  clock.advance(1);
  await next;
  clock.advance(0.2);
  const turn = slices.turn();
  expect(clock.waiting).toBe(1);
  clock.advance(1);
  await turn;
});

test('the clock is looked at once for so many items', async () => {
  const { clock, done, one } = work();
  const all = new TimeSlicer(clock).each(ITEMS, one, 5);
  expect(done.length).toBe(5);
  clock.advance(1);
  await setImmediate();
  expect(done.length).toBe(10);
  clock.advance(1);
  await all;
});
