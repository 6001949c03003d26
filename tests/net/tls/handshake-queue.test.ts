/** Which handshakes begin when: order, the share of a turn, the limit, and room for those that wait. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Deadlines } from '../../../src/net/deadlines.ts';
import { HandshakePace, HandshakeQueue, type QueuedHandshake } from '../../../src/net/tls/handshake-queue.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let deadlines: Deadlines;
let pace: HandshakePace;
let begun: string[];
let ended: string[];
beforeEach(() => {
  clock = new ManualClock();
  deadlines = new Deadlines(clock);
  pace = new HandshakePace(clock);
  begun = [];
  ended = [];
});
afterEach(() => expect(deadlines.size).toBe(0));

function newQueue() {
  const counts = { handshakesActive: 0, handshakesWaiting: 0 };
  return { queue: new HandshakeQueue(pace, deadlines, counts), counts };
}

class Handshake implements QueuedHandshake {
  queueState: QueuedHandshake['queueState'] = 'out';
  before: QueuedHandshake | null = null;
  behind: QueuedHandshake | null = null;
  activeSince = 0;
  readonly name: string;
  readonly queue: HandshakeQueue;
  /** The milliseconds that its beginning takes. */
  readonly cost: number;

  constructor(name: string, queue: HandshakeQueue, cost = 0) {
    this.name = name;
    this.queue = queue;
    this.cost = cost;
  }

  begin(): void {
    begun.push(this.name);
    if (this.cost > 0) clock.advance(this.cost);
  }

  makeRoom(): void {
    ended.push(this.name);
    this.queue.leave(this);
  }
}

function enter(queue: HandshakeQueue, names: string, limit = 0, cost = 0): Handshake[] {
  return names.split('').map((name) => {
    const one = new Handshake(name, queue, cost);
    queue.enter(one, limit);
    return one;
  });
}

test('a turn begins handshakes for one millisecond, at least one; the rest follow in order', async () => {
  const { queue, counts } = newQueue();
  const all = enter(queue, 'abcdef', 0, 0.5);
  expect([begun.join(''), counts.handshakesWaiting]).toEqual(['ab', 4]);
  await setImmediate();
  expect(begun.join('')).toBe('abcd');
  queue.leave(all[4]!);
  await setImmediate();
  expect([begun.join(''), counts.handshakesWaiting, counts.handshakesActive]).toEqual(['abcdf', 0, 5]);
  await setImmediate();
  const slow = enter(queue, 'xy', 0, 10);
  expect(begun.join('')).toBe('abcdfx');
  await setImmediate();
  expect(begun.join('')).toBe('abcdfxy');
  for (const one of [...all, ...slow]) queue.leave(one);
  expect(counts).toEqual({ handshakesActive: 0, handshakesWaiting: 0 });
});

test('listeners take turns', async () => {
  const [one, other] = [newQueue().queue, newQueue().queue];
  const all = [...enter(one, 'abc', 0, 1), ...enter(other, 'xyz', 0, 1)];
  for (let i = 0; i < 6; i++) await setImmediate();
  expect(begun.join('')).toBe('abxcyz');
  for (const handshake of all) handshake.queue.leave(handshake);
});

test('beyond the limit they wait until another leaves', async () => {
  const { queue, counts } = newQueue();
  const all = enter(queue, 'abcd', 2);
  expect([begun.join(''), counts.handshakesActive, counts.handshakesWaiting]).toEqual(['ab', 2, 2]);
  await setImmediate();
  expect(begun.join('')).toBe('ab');
  queue.leave(all[1]!);
  await setImmediate();
  expect(begun.join('')).toBe('abc');
  for (const one of all) queue.leave(one);
  await setImmediate();
  expect(begun.join('')).toBe('abc');
});

test('the oldest makes room after a second, only where others wait, and one for each', async () => {
  const { queue } = newQueue();
  const first = enter(queue, 'abc', 3);
  clock.advance(5000);
  expect(ended).toEqual([]);
  const more = enter(queue, 'de', 3);
  clock.advance(200);
  expect(ended.join('')).toBe('ab');
  await setImmediate();
  expect(begun.join('')).toBe('abcde');
  const last = enter(queue, 'f', 3);
  clock.advance(200);
  expect(ended.join('')).toBe('abc');
  await setImmediate();
  const patient = enter(queue, 'g', 3);
  clock.advance(500);
  expect(ended.join('')).toBe('abc');
  clock.advance(700);
  expect(ended.join('')).toBe('abcd');
  await setImmediate();
  for (const one of [...first, ...more, ...last, ...patient]) queue.leave(one);
});
