/** The daily lines about certificates that must be renewed. */
import { expect, test } from 'vitest';
import { Log } from '../../../src/observe/log.ts';
import { ExpiryLog } from '../../../src/runtime/certificates/expiry-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { pair } from '../../support/certificates.ts';
import { planOf } from '../../plan/plan-of.ts';

const DAY = 24 * 3600 * 1000;

test('once a day, as long as there is something to tell; at most 20 are named', () => {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const log = new Log(clock, (line) => lines.push(JSON.parse(line) as Record<string, unknown>));
  const names = ['expired', ...Array.from({ length: 24 }, (_, i) => `expired-${i}`)];
  const certificates = Object.fromEntries(names.map((name) => [name, pair('expired')]));
  const listener = (tls: object): object => ({ web: { address: '127.0.0.1:0', ...tls } });
  const plan = planOf({ certificates, listeners: listener({ tls: { certificates: names } }) });
  let current = plan;
  const daily = new ExpiryLog(clock, log, () => current);
  daily.follow(plan);
  daily.follow(plan);
  clock.advance(DAY - 1);
  expect(lines).toEqual([]);
  clock.advance(1);
  expect(lines).toHaveLength(21);
  expect(lines[0]).toMatchObject({
    level: 'warn',
    event: 'a certificate has expired',
    certificate: 'expired',
    file: pair('expired').cert,
    not_after: '2021-01-01T00:00:00.000Z',
  });
  expect(lines[20]).toMatchObject({ count: 5 });
  clock.advance(DAY);
  expect(lines).toHaveLength(42);
  current = planOf({ listeners: listener({}) });
  daily.follow(current);
  clock.advance(2 * DAY);
  expect(lines).toHaveLength(42);
  expect(clock.waiting).toBe(0);
});
