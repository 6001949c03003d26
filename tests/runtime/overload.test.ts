/** When a gateway finds itself overloaded, and when it is over. */
import { expect, test } from 'vitest';
import { Overload } from '../../src/runtime/overload.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A clock whose timers can be late. */
class LateClock extends ManualClock {
  late = 0;

  override now(): number {
    return super.now() + this.late;
  }
}

function setup(limits: { loopDelay: number; memory: number }) {
  const clock = new LateClock();
  const flag = { overloaded: false };
  const seen: string[] = [];
  const use = { bytes: 0 };
  const overload = new Overload(
    clock,
    flag,
    (overloaded, reason) => seen.push(`${overloaded} ${reason}`),
    () => use.bytes,
  );
  overload.tune(limits);
  return { clock, flag, seen, use, overload };
}

test('memory: from the limit on, until it is below nine tenths of it', () => {
  const { clock, flag, seen, use } = setup({ loopDelay: 0, memory: 1000 });
  const at = (bytes: number): boolean => {
    use.bytes = bytes;
    clock.advance(100);
    return flag.overloaded;
  };
  expect([900, 1000, 1001, 950, 901, 900, 950].map(at)).toEqual([false, false, true, true, true, false, false]);
  expect(seen).toEqual(['true memory', 'false ']);
});

test('event loop delay: from the limit on, until it is half of that', () => {
  const { clock, flag, seen } = setup({ loopDelay: 200, memory: 0 });
  const lateBy = (ms: number): boolean => {
    clock.late += ms;
    clock.advance(100);
    return flag.overloaded;
  };
  expect([0, 200, 201, 150, 101, 100, 150].map(lateBy)).toEqual([false, false, true, true, true, false, false]);
  expect(seen).toEqual(['true event loop delay', 'false ']);
});

test('without a limit nothing is looked at; taking the limit away ends it', () => {
  const { clock, flag, use, overload } = setup({ loopDelay: 0, memory: 10 });
  use.bytes = 11;
  clock.advance(100);
  expect(flag.overloaded).toBe(true);
  overload.tune({ loopDelay: 0, memory: 0 });
  expect([flag.overloaded, clock.waiting]).toEqual([false, 0]);
});
