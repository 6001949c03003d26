import { expect, test } from 'vitest';
import { behavesAsStrategy, make, picks } from './strategy.suite.ts';

behavesAsStrategy('random');

test('each as likely as its weight says', () => {
  const counts = picks(make('random', [1, 3, 1]).strategy, 3, 10_000);
  expect(counts.map((count) => Math.round(count / 500) / 4)).toEqual([1, 3, 1]);
});
