import { expect, test } from 'vitest';
import type { Clock } from '../../src/kit/clock.ts';
import { Deadlines, type Timed } from '../../src/net/deadlines.ts';
import { ManualClock } from '../support/manual-clock.ts';

class Item implements Timed {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = -1;
  times = 0;
  readonly #due: (item: Item) => void;

  constructor(due: (item: Item) => void = (item) => (item.deadline = Number.POSITIVE_INFINITY)) {
    this.#due = due;
  }

  onDeadline(): void {
    this.times++;
    this.#due(this);
  }
}

test('what is due is called within 100 ms, and only that', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const [soon, late, never] = [new Item(), new Item(), new Item()];
  for (const item of [soon, late, never]) deadlines.add(item);
  soon.deadline = deadlines.now + 250;
  late.deadline = deadlines.now + 1000;
  clock.advance(200);
  expect([soon.times, late.times]).toEqual([0, 0]);
  clock.advance(100);
  expect([soon.times, late.times]).toEqual([1, 0]);
  late.deadline = deadlines.now + 5000;
  clock.advance(4900);
  expect([soon.times, late.times]).toEqual([1, 0]);
  clock.advance(200);
  expect([soon.times, late.times, never.times]).toEqual([1, 1, 0]);
});

test('one that does not set its deadline anew is called again', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const item = new Item(() => {});
  item.deadline = 0;
  deadlines.add(item);
  clock.advance(300);
  expect(item.times).toBe(3);
});

test('items may go and come while others are called', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const second = new Item();
  const first = new Item((item) => {
    deadlines.delete(item);
    deadlines.delete(second);
    deadlines.add(third);
  });
  const third = new Item();
  first.deadline = second.deadline = 0;
  deadlines.add(first);
  deadlines.add(second);
  clock.advance(100);
  expect([first.times, second.times, third.times, deadlines.size]).toEqual([1, 0, 0, 1]);
});

test('the clock is asked to wake us only while there is something to wake for, and time is right at once', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  expect(clock.waiting).toBe(0);
  const item = new Item();
  deadlines.add(item);
  expect(clock.waiting).toBe(1);
  deadlines.delete(item);
  expect(clock.waiting).toBe(0);
  clock.advance(12_345);
  deadlines.add(item);
  expect(deadlines.now).toBe(clock.now());
  deadlines.delete(item);
});

test('a look that comes late judges nobody: what came in time is read before the next', () => {
  let now = 1000;
  let look = (): void => {};
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    after: () => ({ cancel() {} }),
    every(_, due) {
      look = due;
      return { cancel() {} };
    },
  };
  const deadlines = new Deadlines(clock);
  const item = new Item();
  deadlines.add(item);
  const passes = (ms: number): number => {
    now += ms;
    look();
    return item.times;
  };
  item.deadline = now + 1000;
  expect(passes(900)).toBe(0);
  expect(passes(200)).toBe(1);
  // Held up across the deadline: the bytes that came meanwhile put it off.
  item.deadline = now + 1000;
  expect(passes(5000)).toBe(1);
  item.deadline = deadlines.now + 1000;
  expect([passes(100), deadlines.now]).toEqual([1, now]);
  // A loop that is always late judges every other time.
  expect(passes(5000)).toBe(1);
  expect(passes(5000)).toBe(2);
});
