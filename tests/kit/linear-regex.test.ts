/** What routes match by regular expressions takes time linear in what the client sends. */
import { expect, test } from 'vitest';
import { compileRegex, runsLinearly } from '../../src/kit/linear-regex.ts';
import { costOf } from '../support/cpu-time.ts';

const PATHS = (length: number): string => `/r${'/a'.repeat(length / 2)}`;
const WORDS = (length: number): string => `/${'a'.repeat(length)}!`;

test.each<[string, (length: number) => string]>([
  ['^/r/.*/.*/.*/edit$', PATHS],
  ['^/r/.*?/.*?/.*?/edit$', PATHS],
  ['^/(?<x>.*)/(?<y>.*)/(?<z>.*)/edit$', PATHS],
  ['^/r/.*/.*/.*/edit$', (length) => `${PATHS(length)}\u4e00`],
  ['Mozilla.*Android.*Chrome.*Mobile', (length) => 'MozillaAndroidChrome'.repeat(length / 20)],
  ['^/(?:[a-z0-9]{1,4}){1,4}.*x.*y.*z$', WORDS],
  ['^/(?:[a-z0-9]+){1,10}$', WORDS],
])('%s', (source, make) => {
  const pattern = compileRegex(source);
  const cost = (length: number): number => {
    const text = make(length);
    return costOf(() => {
      for (let i = 0; i < 5; i++) expect(pattern.test(text)).toBe(false);
    }).ms;
  };
  cost(256);
  const short = cost(4096);
  expect(cost(16_384)).toBeLessThan(8 * short + 20);
});

test('the answer is the same after the change of engines', () => {
  const pattern = compileRegex('^/r/.*/.*/.*/edit$');
  expect(pattern.test(`${PATHS(8192)}/edit`)).toBe(true);
  expect(pattern.test(`${PATHS(8192)}/edit?`)).toBe(false);
  expect(pattern.test('/r/a/b/c/edit')).toBe(true);
});

test('V8 says which patterns its linear engine runs', () => {
  expect(runsLinearly('^/.*/[a-z]{1,16}$')).toBe(true);
  for (const source of ['(?!a)b', 'a{17}', '(?:a{1,20}){1,20}', '(?i:a)', '(a)\\1'])
    expect(runsLinearly(source)).toBe(false);
  // The flag is known only while V8 is asked.
  const flag = 'l';
  expect(() => new RegExp('a', flag)).toThrow(SyntaxError);
});
