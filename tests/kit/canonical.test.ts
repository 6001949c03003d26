import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonical, digestOf } from '../../src/kit/canonical.ts';
import { freeze } from '../../src/kit/freeze.ts';

/** The same value with the keys of its objects in the opposite order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}

test('the order of keys makes no difference, however deep', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonical(turned(value))).toBe(canonical(value));
      expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('the order of lists does, and so does every value', () => {
  expect(canonical([1, 2])).not.toBe(canonical([2, 1]));
  expect(canonical({ a: 1 })).not.toBe(canonical({ a: '1' }));
  expect(canonical({ a: null })).not.toBe(canonical({}));
});

test('digests are equal for equal data, and short', () => {
  expect(digestOf({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(digestOf({ b: [{ d: 3, c: 2 }], a: 1 }));
  expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: 2 }));
  expect(digestOf('x')).toMatch(/^[\w-]{16}$/);
});

test('freezing reaches everything, and what is frozen already is left alone', () => {
  const inner = { deep: [{ x: 1 }] };
  const whole = freeze({ inner, list: [inner], nothing: null });
  expect([whole, inner, inner.deep, inner.deep[0], whole.list].map((one) => Object.isFrozen(one))).toEqual(
    Array.from({ length: 5 }, () => true),
  );
  expect(() => Object.assign(inner.deep[0]!, { x: 2 })).toThrow(TypeError);
  expect([freeze(7), freeze(null), freeze(undefined)]).toEqual([7, null, undefined]);
});
