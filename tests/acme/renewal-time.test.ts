import { describe, expect, test } from 'vitest';
import { AcmeError } from '../../src/acme/client/acme-error.ts';
import { backoffTime, nextAdvice, renewalTime } from '../../src/acme/renewal-time.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;

describe('renewal', () => {
  const life = { from: 0, to: 90 * DAY };

  test('is due when a third of the life is left, or up to 3 days earlier', () => {
    expect(renewalTime(life, null, () => 0)).toBe(60 * DAY);
    expect(renewalTime(life, null, () => 0.999)).toBeCloseTo(57 * DAY, -8);
  });

  test('of a certificate of 6 days is due after 4', () => {
    expect(renewalTime({ from: 0, to: 6 * DAY }, null, () => 0)).toBe(4 * DAY);
  });

  test('is due within the suggested window (RFC 9773 §4.2)', () => {
    const window = { start: 10 * DAY, end: 12 * DAY, explanation: '', retryAfter: null };
    expect(renewalTime(life, window, () => 0)).toBe(10 * DAY);
    expect(renewalTime(life, window, () => 0.5)).toBe(11 * DAY);
  });

  test('does not obey a window that has always passed', () => {
    const window = { start: -9 * DAY, end: -8 * DAY, explanation: '', retryAfter: null };
    expect(renewalTime(life, window, () => 0.5)).toBe(DAY);
    expect(renewalTime({ from: 0, to: 6 * DAY }, window, () => 0.5)).toBe(0.6 * DAY);
  });

  test('does not wait for a window that begins too late', () => {
    const window = { start: 100 * DAY, end: 120 * DAY, explanation: '', retryAfter: null };
    expect(renewalTime(life, window, () => 0.5)).toBe(81 * DAY);
  });

  test.each([
    [null, 0, 6 * HOUR],
    [3 * HOUR, 0, 3 * HOUR],
    [0, 0, MINUTE],
    [30 * DAY, 0, DAY],
    [3 * HOUR, 1, HOUR],
    [3 * HOUR, 3, 4 * HOUR],
    [3 * HOUR, 40, DAY],
  ])('advice with Retry-After %s after %d failures is asked for again after %d ms', (retryAfter, failures, wanted) => {
    expect(nextAdvice({ start: 0, end: 1, explanation: '', retryAfter }, failures)).toBe(wanted);
  });
});

describe('a pause', () => {
  const pauses = (error: AcmeError, count = 8): number[] =>
    Array.from({ length: count }, (_, i) => backoffTime(error, i + 1, () => 0) / MINUTE);

  test('for an authority that is away grows to an hour', () => {
    const wanted = [1, 2, 4, 8, 16, 32, 60, 60];
    expect(pauses(new AcmeError('connect_failed', ''))).toEqual(wanted);
    expect(pauses(new AcmeError('timeout', ''))).toEqual(wanted);
    expect(pauses(new AcmeError('refused', '', { status: 503 }))).toEqual(wanted);
  });

  test('for a name that does not lead to us leaves the authority its limit of 5 failures in an hour', () => {
    const own = pauses(new AcmeError('unauthorized', ''), 12);
    expect(own).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440]);
    const times = own.map((_, i) => own.slice(0, i).reduce((a, b) => a + b, 0));
    expect(times.filter((at) => at < 60)).toHaveLength(4);
  });

  test('for what only a person can mend grows from an hour to a day', () => {
    const wanted = [60, 120, 240, 480, 960, 1440, 1440, 1440];
    expect(pauses(new AcmeError('rejected_identifier', ''))).toEqual(wanted);
    expect(pauses(new AcmeError('rate_limited', '', { status: 429 }))).toEqual(wanted);
  });

  test('is never shorter than the authority asks, up to a week', () => {
    const limited = (days: number): AcmeError => new AcmeError('rate_limited', '', { retryAfter: days * DAY });
    expect(backoffTime(limited(2), 1, () => 0)).toBe(2 * DAY);
    expect(backoffTime(limited(100), 1, () => 0)).toBe(7 * DAY);
    expect(backoffTime(new AcmeError('rate_limited', '', { retryAfter: 1000 }), 1, () => 0)).toBe(HOUR);
  });

  test('varies, upwards only', () => {
    expect(backoffTime(new AcmeError('timeout', ''), 1, () => 0.5)).toBeCloseTo(1.1 * MINUTE);
  });
});
