/** The health of one endpoint, on a clock that stands still. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from '../../src/kit/random.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import type { HealthPlan } from '../../src/plan/types/pool.ts';
import { Health } from '../../src/upstream/health.ts';
import { DUE, HEALTHY, UNAVAILABLE } from '../../src/upstream/strategies/strategy.ts';
import { ManualClock } from '../support/manual-clock.ts';

const RATE = { deviations: 1.5, margin: 5, interval: 10_000, minEndpoints: 5, minRequests: 100 };
const PLAN: HealthPlan = {
  active: null,
  passive: { failures: 3, statuses: [503], latency: 100, maxEjected: 50, successRate: RATE },
  backoff: { first: 5000, max: 300_000, retries: 5, jitter: 0, probe: 1000 },
  panic: 0,
  slowStart: 0,
};

function setup(plan: Partial<HealthPlan> = {}, mayEject = true) {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  // Something timed, so that its time goes on.
  deadlines.add({ deadline: Number.POSITIVE_INFINITY, timedPlace: -1, onDeadline: () => {} });
  const states: string[] = [];
  const health: Health = new Health({ ...PLAN, ...plan }, clock, deadlines, seededRandom(3), {
    mayEject: () => mayEject,
    changed: () => states.push(health.state),
  });
  const wait = (ms: number): void => clock.advance(ms);
  /** A request that tries it, and fails to connect. */
  const tryInVain = (): void => {
    health.trials++;
    health.connectFailed('connect_refused');
    health.trials--;
  };
  return { clock, deadlines, health, states, wait, tryInVain };
}

test('the pauses are 5, 10, 20, 40, 80, 160 and then 300 seconds; the breaker opens after five retries', () => {
  const { deadlines, health, wait, tryInVain } = setup();
  const seen: [number, string][] = [];
  tryInVain();
  for (let i = 0; i < 9; i++) {
    const pause = health.retryAt - deadlines.now;
    seen.push([pause / 1000, health.state]);
    wait(pause - 100);
    expect(health.tier()).toBe(DUE);
    wait(100);
    expect(health.tier()).toBe(HEALTHY);
    tryInVain();
  }
  expect(seen).toEqual([
    [5, 'failing'],
    [10, 'failing'],
    [20, 'failing'],
    [40, 'failing'],
    [80, 'failing'],
    [160, 'open'],
    [300, 'open'],
    [300, 'open'],
    [300, 'open'],
  ]);
});

test('jitter only shortens, by no more than it says', () => {
  const { deadlines, health, wait, tryInVain } = setup({ backoff: { ...PLAN.backoff, jitter: 20 } });
  const pauses = [5, 10, 20, 40, 80, 160, 300, 300].map((full) => {
    tryInVain();
    const pause = health.retryAt - deadlines.now;
    wait(pause + 100);
    return pause / 1000 / full;
  });
  for (const part of pauses) expect(part > 0.8 && part <= 1).toBe(true);
  expect(new Set(pauses).size).toBe(pauses.length);
});

test('one whose pause is over has one request in turn; where none is well it is tried by fewer and fewer at a time', () => {
  const { deadlines, health, wait, tryInVain } = setup();
  tryInVain();
  /** How many tries there is room for at this moment. */
  const room = (): number => {
    let begun = 0;
    while (health.tier() !== UNAVAILABLE) {
      expect(health.tier()).toBe(begun === 0 && health.retryAt <= deadlines.now ? HEALTHY : DUE);
      health.beginTrial();
      begun++;
    }
    for (let i = 0; i < begun; i++) health.endTrial();
    return begun;
  };
  const rooms: [number, number][] = [];
  for (let i = 0; i < 7; i++) {
    const within = room();
    wait(300_000);
    rooms.push([within, room()]);
    tryInVain();
  }
  expect(rooms.map(([within]) => within)).toEqual([5, 4, 3, 2, 1, 1, 1]);
  expect(rooms.map(([, after]) => after)).toEqual([5, 4, 3, 2, 1, 1, 1]);
  expect(health.state).toBe('open');
  // One that hangs keeps the others out for a second.
  health.beginTrial();
  wait(900);
  expect(health.tier()).toBe(UNAVAILABLE);
  wait(100);
  expect(health.tier()).toBe(DUE);
  health.beginTrial();
  expect(health.tier()).toBe(UNAVAILABLE);
  health.connected();
  expect([health.state, health.tier(), health.failures]).toEqual(['healthy', HEALTHY, 0]);
});

test('what fails while it is out already is the same failure', () => {
  const { health, tryInVain } = setup();
  for (let i = 0; i < 10; i++) tryInVain();
  expect([health.failures, health.state]).toEqual([1, 'failing']);
});

test('exchanges take it out when as many as that fail in a row, and only an answer brings it back', () => {
  const { health, wait, states } = setup();
  health.exchangeFailed('first_byte_timeout');
  health.answered(503, 1);
  health.answered(200, 1);
  health.completed();
  health.answered(200, 101);
  health.exchangeFailed('upstream_reset');
  expect(health.state).toBe('healthy');
  health.answered(503, 1);
  expect([health.state, health.lastError, health.ejected]).toEqual(['failing', 'status_503', true]);
  wait(5000);
  health.trials++;
  health.connected();
  expect(health.state).toBe('failing');
  health.answered(200, 1);
  health.trials--;
  expect(states).toEqual(['failing', 'healthy']);
});

test('the pool may forbid that, but not that an unreachable one is out', () => {
  const { health, tryInVain } = setup({}, false);
  for (let i = 0; i < 10; i++) health.exchangeFailed('upstream_reset');
  expect(health.state).toBe('healthy');
  tryInVain();
  expect(health.state).toBe('failing');
});

test('slow start: its share grows from a tenth to all', () => {
  const { health, wait } = setup({ slowStart: 1000 });
  const shares = [0, 100, 400, 400, 100].map((ms) => {
    wait(ms);
    return health.share;
  });
  expect(shares).toEqual([0.1, 0.1, 0.5, 0.9, 1]);
});

test('checks and operators each have a say of their own', () => {
  const { health, tryInVain, states } = setup();
  health.checked(false, 'check_timeout');
  health.command('draining');
  expect([health.tier(), health.keeps]).toEqual([UNAVAILABLE, false]);
  health.checked(true, '');
  expect([health.tier(), health.keeps]).toEqual([UNAVAILABLE, true]);
  health.command('disabled');
  expect([health.tier(), health.keeps]).toEqual([UNAVAILABLE, false]);
  health.command('enabled');
  expect([health.tier(), health.keeps]).toEqual([HEALTHY, true]);
  tryInVain();
  health.checked(true, '');
  expect(states).toEqual(['check_failed', 'draining', 'disabled', 'healthy', 'failing', 'healthy']);
});

test('whatever happens, an endpoint that is not disabled is asked again some time', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('connect' as const) }),
    fc.record({ kind: fc.constant('exchange' as const) }),
    fc.record({ kind: fc.constant('answer' as const), status: fc.constantFrom(200, 503) }),
    fc.record({ kind: fc.constant('connected' as const) }),
    fc.record({ kind: fc.constant('check' as const), well: fc.boolean() }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 400 }).map((n) => n * 1000) }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const { health, wait } = setup();
      for (const one of events) {
        health.trials++;
        if (one.kind === 'connect') health.connectFailed('connect_refused');
        else if (one.kind === 'exchange') health.exchangeFailed('upstream_reset');
        else if (one.kind === 'answer') health.answered(one.status, 1);
        else if (one.kind === 'connected') health.connected();
        else if (one.kind === 'check') health.checked(one.well, 'check_timeout');
        else wait(one.ms);
        health.trials--;
      }
      health.checked(true, '');
      wait(300_100);
      expect(health.tier()).toBe(HEALTHY);
    }),
    { numRuns: 300 },
  );
});
