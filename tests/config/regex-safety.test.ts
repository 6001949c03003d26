import { describe, expect, test } from 'vitest';
import { regexProblem } from '../../src/config/regex-safety.ts';
import { worstCost } from '../../src/config/regex-cost.ts';

test.each([
  // The linear engine runs them.
  '^/r/.*/.*/.*/edit$',
  'Mozilla.*Android.*Chrome.*Mobile',
  '^/(?<user>[^/]+)/(?<item>.*)/(?<rest>.*)$',
  '^/[a-z]{1,16}/x$',
  // It can't run them, and they are cheap.
  '^/(?!admin)[a-z]+/[a-z]+$',
  '^(?!.*admin).*\\.png$',
  '^/u/[0-9a-f]{32}$',
  '^/[0-9a-f]{64}/.*\\.js$',
  '^/[a-z0-9-]{1,63}/(?:png|jpg)$',
  '^(?i:/Admin)',
])('takes %s', (source) => {
  expect(regexProblem(source)).toBeNull();
});

test.each([
  '^/(?:[a-z0-9]{1,20}){1,20}$',
  '^/(?:[a-z]{1,40})*x$',
  '^/[a-z]{1,1000}[a-z]{1,1000}x$',
  '^/r(?!x)/.*/.*/.*/edit$',
  '(?i:mozilla).*(?i:android).*mobile',
  '^(?!/.*/.*/.*/x)',
  '[0-9]{20,}x',
  '^.*[0-9]{20,}x$',
  '^a|(?!b).*x.*y$',
  '^/[\\u0400-\\u04ff]+\\u0410(?!x).*y.*z$',
])('refuses %s', (source) => {
  expect(regexProblem(source)).toMatch(/^can take very long: /);
});

test.each(['^(a+)+$', '^(a|a)*$', '^(.*,)*x', '^(a)\\1$', '^(?<x>a)\\k<x>$'])('refuses %s as exponential', (source) => {
  expect(regexProblem(source)).toMatch(/^can take exponential time: /);
});

describe('worst cost', () => {
  test.each<[string, number]>([
    ['^/abc$', 0],
    ['^/[a-z]+$', 1],
    ['^/[a-z]+/[a-z]+/[a-z]+$', 1],
    ['^/.*/x$', 1],
    ['^/.*/.*/x$', 2],
    ['/x', 1],
    ['/.*x', 2],
    ['^/[a-z]+[a-f]$', 1],
    ['^/[a-z]+[a-f]+x$', 2],
    ['^(?:/[a-z]+)?/x', 1],
    ['^/(?:a+|b+c+)x', 1],
    ['^/[^\\]]+\\][^/]+/$', 1],
    ['^(?i:[a-z]+A.*x)', 2],
  ])('of %s grows with the power %i', (source, degree) => {
    expect(worstCost(source).degree).toBe(degree);
  });
});
