/** Random routes and requests that often meet, and a router so simple that it can be believed. */
import fc from 'fast-check';
import type { Exchange } from '../../src/http/exchange.ts';
import type { FieldMatchPlan, MatchPlan, PathPlan } from '../../src/plan/types/match.ts';
import { exchange } from '../support/exchange.ts';

const HOSTS = ['a.test', 'b.a.test', 'c.b.a.test', 'test', 'other', '[::1]'];
const PATTERNS = ['*.test', '*.a.test', '*.b.a.test', ...HOSTS];
const PATHS = ['/', '/a', '/a/', '/a/b', '/a/b/c', '/ab', '/a//b', '/b', '/b/a', '/%2F', '/b.html'];
const PREFIXES = ['/', '/a', '/a/b', '/a/b/c', '/ab', '/b', '/a/'.slice(0, 2)];
const REGEXES = ['^/a', 'b$', '^/[ab]/', '', '^/a/b$', 'zzz', '\\.html$'];
const METHODS = ['GET', 'POST', 'get', 'PUT'];
const VALUES = ['1', '2', '', 'a b', 'ä', 'a+b'];
const RAW_VALUES = ['1', '2', '', 'a%20b', 'a+b', '%C3%A4', 'a%2Bb', '%', '%zz', '%ff', '1=1', '%31'];

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const often = <T>(one: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(one), weight: 2 }, { arbitrary: other, weight: 1 });

const path: fc.Arbitrary<PathPlan> = fc.oneof(
  some(...PATHS).map((value) => ({ kind: 'exact' as const, value })),
  some(...PREFIXES).map((value) => ({ kind: 'prefix' as const, value })),
  some(...REGEXES).map((value) => ({ kind: 'regex' as const, value })),
);

const fields = (names: readonly string[]): fc.Arbitrary<FieldMatchPlan[]> =>
  fc.array(
    fc.oneof(
      fc.record({ name: some(...names), kind: some('exact' as const), value: some(...VALUES) }),
      fc.record({ name: some(...names), kind: some('regex' as const), value: some('^1$', '.', 'b', '') }),
      fc.record({ name: some(...names), kind: some('present' as const), value: some('true', 'false') }),
    ),
    { minLength: 1, maxLength: 2 },
  );

export const matchPlan: fc.Arbitrary<MatchPlan> = fc.record({
  hosts: often<string[] | null>(null, fc.uniqueArray(some(...PATTERNS), { minLength: 1, maxLength: 3 })),
  path: fc.oneof(path, fc.constant(null)),
  methods: often<string[] | null>(null, fc.uniqueArray(some(...METHODS), { minLength: 1, maxLength: 2 })),
  headers: often<FieldMatchPlan[]>([], fields(['x-a', 'x-b', 'host'])),
  query: often<FieldMatchPlan[]>([], fields(['q', 'r', 'ä'])),
});

/** A request's exchange: made anew from its parts, since what is printed on failure are the parts. */
export const request: fc.Arbitrary<Exchange> = fc
  .record({
    method: some(...METHODS),
    host: fc.oneof(some(...HOSTS), some('A.test.'.toLowerCase(), '', '.test', 'x.c.b.a.test', 'atest')),
    path: fc.oneof(some(...PATHS), some('*', '/a/b/c/d', '/a/bc', '/c')),
    query: often(
      '',
      fc
        .array(fc.tuple(some('q', 'r', '%C3%A4', '%71', 'qq', ''), fc.option(some(...RAW_VALUES))), { maxLength: 3 })
        .map((pairs) => `?${pairs.map(([name, value]) => (value === null ? name : `${name}=${value}`)).join('&')}`),
    ),
    fields: fc.array(fc.tuple(some('X-A', 'x-b', 'x-a', 'X-Other'), some(...VALUES)), { maxLength: 3 }),
  })
  .map((parts) => exchange(parts));

function hostMatches(pattern: string, asked: string): boolean {
  const host = asked.replace(/\.$/, '');
  if (!pattern.startsWith('*.')) return host === pattern;
  const suffix = pattern.slice(1);
  return host.endsWith(suffix) && host.length > suffix.length;
}

function pathMatches({ kind, value }: PathPlan, asked: string): boolean {
  if (kind === 'exact') return asked === value;
  if (kind === 'regex') return new RegExp(value).test(asked);
  return value === '/' ? asked.startsWith('/') : asked === value || asked.startsWith(`${value}/`);
}

function valueMatches({ kind, value }: FieldMatchPlan, found: string | null): boolean {
  if (kind === 'present') return (found !== null) === (value === 'true');
  if (found === null) return false;
  return kind === 'exact' ? found === value : new RegExp(value).test(found);
}

function headerOf(x: Exchange, name: string): string | null {
  const values: string[] = [];
  x.fields.forEach((one, value) => {
    if (one.toLowerCase() === name) values.push(value);
  });
  return values.length === 0 ? null : values.join(', ');
}

/** Condition by condition, as the reference says them. */
export function matches(match: MatchPlan, x: Exchange): boolean {
  const query = new URLSearchParams(x.query);
  return (
    (match.hosts === null || match.hosts.some((pattern) => hostMatches(pattern, x.host))) &&
    (match.path === null || pathMatches(match.path, x.path)) &&
    (match.methods === null || match.methods.includes(x.method)) &&
    match.headers.every((one) => valueMatches(one, headerOf(x, one.name))) &&
    match.query.every((one) => valueMatches(one, query.get(one.name)))
  );
}
