import { expect, test } from 'vitest';
import type { HashKeyPlan } from '../../../src/plan/types/pool.ts';
import { UNAVAILABLE } from '../../../src/upstream/strategies/strategy.ts';
import { askerWith, behavesAsStrategy, behavesConsistently, client, make, over } from './strategy.suite.ts';

const plan = (source: HashKeyPlan['source'], name = '', replicas = 512) =>
  ({ type: 'ring_hash', key: { source, name }, replicas }) as const;

behavesAsStrategy(plan('client'));
behavesConsistently(plan('client'), 0.15, 1.2);

test('requests with the same header get the same endpoint, whatever the address of the client', () => {
  const { strategy } = make(plan('header', 'x-user'), [1, 1, 1, 1, 1]);
  const chosen = (user: string, from: string): number =>
    strategy.pick(0, { ...askerWith(['X-User', user]), clientAddress: from });
  const users = Array.from({ length: 50 }, (_, i) => `user-${i}`);
  for (const user of users) expect(chosen(user, '10.0.0.1')).toBe(chosen(user, '10.9.9.9'));
  expect(new Set(users.map((user) => chosen(user, '10.0.0.1'))).size).toBe(5);
});

test('the keys of an unavailable endpoint go to the endpoints that would have them if it were removed', () => {
  const { all, strategy } = make(plan('path'), [1, 1, 1, 1, 1]);
  const rest = over(plan('path'), all.slice(1));
  all[0]!.standing = UNAVAILABLE;
  for (let i = 0; i < 2000; i++) {
    const during = all[strategy.pick(0, client(i))]!.name;
    expect(during).toBe(rest.all[rest.strategy.pick(0, client(i))]!.name);
  }
});

test('more replicas spread keys more evenly', () => {
  const fullest = (replicas: number): number => {
    const { strategy } = make(plan('path', '', replicas), [1, 1, 1, 1, 1, 1, 1, 1]);
    const counts = Array.from({ length: 8 }, () => 0);
    for (let i = 0; i < 20_000; i++) counts[strategy.pick(0, client(i))]!++;
    return Math.max(...counts) / 2500;
  };
  expect(fullest(4096)).toBeLessThan(fullest(4));
  expect(fullest(4096)).toBeLessThan(1.08);
});
