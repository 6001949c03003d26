import { expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { Sticky } from '../../src/upstream/sticky.ts';
import type { LoadBalancerContext } from '../../src/upstream/strategies/strategy.ts';

const sticky = new Sticky({ cookie: 'kept', attributes: '; Path=/', ids: [], addressKey: '' }, ['id-a', 'id-b']);
const asker = (...cookies: string[]): LoadBalancerContext => ({
  clientAddress: '192.0.2.1',
  path: '/',
  fields: Fields.of(cookies.map((one) => ['cookie', one] as const)),
});

test('an endpoint is found by its own cookie', () => {
  expect(sticky.find(asker('kept=id-b'))).toBe(1);
  expect(sticky.find(asker('x=y; kept=id-a; z'))).toBe(0);
});

test('without a cookie, with another, or without fields there is none', () => {
  for (const one of [asker(), asker('kept=id-c'), asker('other=id-a'), asker('kept='), asker('kept=id-a2')])
    expect(sticky.find(one)).toBe(-1);
  expect(sticky.find({ clientAddress: '192.0.2.1', path: '', fields: null })).toBe(-1);
});

test('who has not the cookie of the endpoint that answered is given it', () => {
  expect(sticky.mark(asker(), 1)).toBe('kept=id-b; Path=/');
  expect(sticky.mark(asker('kept=nonsense'), 0)).toBe('kept=id-a; Path=/');
  expect(sticky.mark(asker('kept=id-a'), 1)).toBe('kept=id-b; Path=/');
  expect(sticky.mark(asker('kept=id-a'), 0)).toBeNull();
});
