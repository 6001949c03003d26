import { expect, test } from 'vitest';
import { deepEqual } from '../../src/kit/deep-equal.ts';

test.each([
  [1, 1],
  ['a', 'a'],
  [null, null],
  [[], []],
  [{}, {}],
  [
    { a: [1, { b: null }], c: 'x' },
    { c: 'x', a: [1, { b: null }] },
  ],
])('%j is as %j', (a, b) => {
  expect([deepEqual(a, b), deepEqual(b, a)]).toEqual([true, true]);
});

test.each([
  [1, '1'],
  [0, null],
  [[], {}],
  [[1], [1, 2]],
  [{ a: 1 }, { a: 2 }],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: undefined }, { b: undefined }],
  [{ a: { b: [1] } }, { a: { b: [2] } }],
])('%j is not as %j', (a, b) => {
  expect([deepEqual(a, b), deepEqual(b, a)]).toEqual([false, false]);
});
