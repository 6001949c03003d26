import { expect, test } from 'vitest';
import { behavesAsStrategy, behavesConsistently, client, make } from './strategy.suite.ts';

const PLAN = { type: 'ip_hash' } as const;

behavesAsStrategy(PLAN);
behavesConsistently(PLAN, 0.15, 1.2);

test('nothing but the address counts', () => {
  const { strategy } = make(PLAN, [1, 1, 1, 1, 1]);
  for (let i = 0; i < 100; i++)
    expect(strategy.pick(0, { ...client(i), path: '/other' })).toBe(strategy.pick(0, client(i)));
});
