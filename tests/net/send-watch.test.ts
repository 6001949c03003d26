import { beforeEach, describe, expect, test } from 'vitest';
import { NOWHERE } from '../../src/kit/places.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import type { QueueTaker, SendQueues } from '../../src/net/send-queues.ts';
import { SendWatch, STALLED } from '../../src/net/send-watch.ts';
import { MemoryTransport } from '../conformance/fuzz/memory-transport.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryStream } from '../support/memory-stream.ts';

const LIMIT = 8000;

/** What the kernel holds; null: it does not tell. It answers at once after the question. */
let held: number | null = null;
let clock: ManualClock;
let transport: MemoryTransport;
let deadlines: Deadlines;
let watch: SendWatch;
let next = 0;

const queues = {
  ask(_: object, taker: QueueTaker): boolean {
    if (held === null) return false;
    const bytes = held;
    pending.push(() => taker.onSendQueue(bytes));
    return true;
  },
};
let pending: (() => void)[] = [];

beforeEach(() => {
  held = null;
  pending = [];
  clock = new ManualClock();
  transport = new MemoryTransport();
  transport.bytesSent = 1000;
  deadlines = new Deadlines(clock);
  deadlines.add({ deadline: Number.POSITIVE_INFINITY, timedPlace: NOWHERE, onDeadline: () => {} });
  watch = new SendWatch(transport, deadlines, queues as SendQueues);
});

/** Looks when it is due until it is stalled or `ms` are over: answers after how many. */
function stalledAfter(ms: number, each: (now: number) => void = () => {}): number {
  const began = clock.now();
  next = watch.start(LIMIT);
  while (clock.now() - began < ms) {
    clock.advance(100);
    each(clock.now() - began);
    if (clock.now() < next) continue;
    next = watch.look(LIMIT);
    if (next === STALLED) return clock.now() - began;
    for (const answer of pending.splice(0)) answer();
  }
  return Number.POSITIVE_INFINITY;
}

test('without a limit there is nothing to look at', () => {
  expect(watch.start(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
});

describe('where the kernel does not tell', () => {
  test('a peer of which nothing is heard is stalled after the limit', () => {
    expect(stalledAfter(60_000)).toBe(LIMIT);
  });

  test('one that takes a part of a write within each limit is not', () => {
    expect(stalledAfter(60_000, (now) => void (now % 7000 === 0 && transport.bytesSent++))).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test('one that has stopped is stalled a limit later, to a look', () => {
    const after = stalledAfter(60_000, (now) => void (now <= 20_000 && transport.bytesSent++));
    expect(after).toBeGreaterThanOrEqual(20_000 + LIMIT);
    expect(after).toBeLessThanOrEqual(20_000 + 1.25 * LIMIT + 1000);
  });
});

test('a stream that shares its connection is judged by what has left: the kernel is not asked', () => {
  held = 900;
  const [stream, peer] = MemoryStream.pair(1000);
  stream.write('', Buffer.alloc(5000), 0, 5000, '');
  watch = new SendWatch(stream, deadlines, queues as SendQueues);
  const after = stalledAfter(60_000, (now) => {
    held!--;
    if (now % 7000 !== 0) return;
    peer.resume();
    peer.pause();
  });
  expect(stream.bytesSent).toBe(5000);
  // Four windows are left at first, and each is taken just in time.
  expect(after).toBeGreaterThanOrEqual(4 * 7000 + LIMIT);
  expect(after).toBeLessThanOrEqual(4 * 7000 + 1.25 * LIMIT + 1000);
});

describe('where the kernel tells', () => {
  test('a peer that acknowledges bytes is not stalled, though no write gets further', () => {
    held = 900;
    expect(stalledAfter(60_000, (now) => void (now % 7000 === 0 && held!--))).toBe(Number.POSITIVE_INFINITY);
  });

  test('one that acknowledges nothing is stalled after the limit and a quarter', () => {
    held = 900;
    const after = stalledAfter(60_000);
    expect(after).toBeGreaterThanOrEqual(LIMIT);
    expect(after).toBeLessThanOrEqual(1.25 * LIMIT + 1200);
  });

  test('one that has acknowledged a byte now and then, and no more, is stalled after that', () => {
    held = 900;
    const after = stalledAfter(99_000, (now) => void (now % 5000 === 0 && now <= 30_000 && held!--));
    expect(after).toBeGreaterThanOrEqual(30_000 + LIMIT);
    expect(after).toBeLessThanOrEqual(30_000 + 1.25 * LIMIT + 1200);
  });

  test('one byte an hour is not enough', () => {
    held = 900;
    expect(stalledAfter(7_200_000, (now) => void (now % 3_600_000 === 0 && held!--))).toBeLessThan(20_000);
  });

  test('a kernel that falls silent leaves what is seen without it', () => {
    held = 900;
    const after = stalledAfter(60_000, (now) => void (now === 3000 && (held = -1)));
    expect(after).toBeLessThanOrEqual(1.25 * LIMIT + 1200);
  });

  test('what begins to wait later has its own time', () => {
    held = 900;
    stalledAfter(6000);
    clock.advance(100_000);
    transport.bytesSent += 500;
    expect(stalledAfter(60_000)).toBeGreaterThanOrEqual(LIMIT);
  });
});
