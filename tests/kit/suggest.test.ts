import { expect, test } from 'vitest';
import { suggest } from '../../src/kit/suggest.ts';

const KNOWN = ['timeouts', 'limits', 'listeners', 'acl', 'pool'];

test.each([
  ['timeout', 'timeouts'],
  ['Listeners', 'listeners'],
  ['listners', 'listeners'],
  ['limit', 'limits'],
  ['alc', 'acl'],
  ['acls', 'acl'],
  ['pol', 'pool'],
  ['something else', undefined],
  ['', undefined],
])('%s: did you mean %s', (written, meant) => {
  expect(suggest(written, KNOWN)).toBe(meant);
});

test('the nearest is named, among equals the first, and among none nothing', () => {
  expect(suggest('api-v', ['app-v2', 'api-v2', 'api-v1'])).toBe('api-v2');
  expect(suggest('api', [])).toBeUndefined();
});
