/** Random traffic for a cache: resources, what clients ask for side by side, what the origin says then, and time that passes. */
import fc from 'fast-check';

/** What a resource is like throughout. */
export interface Resource {
  readonly vary: string | null;
  readonly etag: 'strong' | 'weak' | null;
  readonly dated: boolean;
}

export interface Ask {
  readonly resource: number;
  readonly method: string;
  readonly directives: string | null;
  readonly authorization: string | null;
  readonly a: string | null;
  readonly b: string | null;
  readonly range: readonly [number, number] | null;
  /** Has the current ETag, or one that nobody has. */
  readonly condition: 'current' | 'other' | null;
}

export interface Reply {
  readonly status: number;
  readonly directives: string | null;
  readonly targeted: string | null;
  readonly expires: number | null;
  readonly age: number;
  readonly date: number;
}

export interface Turn {
  /** Seconds that pass before. */
  readonly leap: number;
  /** The resource whose content changes before. */
  readonly change: number | null;
  readonly asks: readonly Ask[];
  readonly reply: Reply;
}

export interface Scenario {
  readonly resources: readonly Resource[];
  readonly turns: readonly Turn[];
}

/** Two hosts and two queries: what must never be mixed up. */
export const PLACES = [
  { host: 'one.example', query: '?q=1' },
  { host: 'two.example', query: '?q=1' },
  { host: 'one.example', query: '?q=2' },
] as const;

/** The connection ends without an answer. */
export const GONE = 0;

const often = <T>(value: T, weight: number): { arbitrary: fc.Arbitrary<T>; weight: number } => ({
  arbitrary: fc.constant(value),
  weight,
});
const mostly = <T>(value: T, weight: number, ...others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(often(value, weight), ...others.map((one) => often(one, 1)));
const list = (...members: readonly fc.Arbitrary<string | null>[]): fc.Arbitrary<string | null> =>
  fc.tuple(...members).map((found) => found.filter((one) => one !== null).join(', ') || null);

const replyDirectives = list(
  mostly<string | null>('max-age=10', 4, 'max-age=0', 'max-age=100', 'max-age=100', null),
  mostly<string | null>(null, 6, 's-maxage=0', 's-maxage=10', 's-maxage=100'),
  mostly<string | null>(
    null,
    10,
    'no-store',
    'no-cache',
    'private',
    'public',
    'public',
    'no-cache="x-named"',
    'private="x-named"',
  ),
  mostly<string | null>(null, 6, 'must-revalidate', 'proxy-revalidate'),
  mostly<string | null>(null, 3, 'stale-while-revalidate=20'),
  mostly<string | null>(null, 3, 'stale-if-error=20'),
);

const askDirectives = mostly<string | null>(
  null,
  16,
  'no-cache',
  'no-store',
  'max-age=0',
  'max-age=7',
  'max-stale',
  'max-stale=10',
  'min-fresh=20',
  'only-if-cached',
  'stale-if-error=30',
);

const ask: fc.Arbitrary<Ask> = fc.record({
  resource: fc.nat(PLACES.length - 1),
  method: mostly('GET', 12, 'HEAD', 'HEAD', 'POST', 'DELETE'),
  directives: askDirectives,
  authorization: mostly<string | null>(null, 3, 'Basic YW5uYTph', 'Basic YmVydDpi'),
  a: mostly<string | null>(null, 1, '1', '2'),
  b: mostly<string | null>(null, 2, '1'),
  range: mostly<readonly [number, number] | null>(null, 10, [2, 5], [0, 19], [8, 30]),
  condition: mostly<Ask['condition']>(null, 8, 'current', 'other'),
});

const reply: fc.Arbitrary<Reply> = fc.record({
  status: mostly(200, 16, 404, 301, 302, 299, 500, 503, 503, GONE, GONE),
  directives: replyDirectives,
  targeted: mostly<string | null>(null, 12, 'max-age=50', 'max-age=0', 'no-store', 'private', 'max-age=', ''),
  expires: mostly<number | null>(null, 6, -100, 0, 30),
  age: mostly(0, 6, 5, 60),
  date: mostly(0, 6, -5, -60, 30),
});

const turn: fc.Arbitrary<Turn> = fc.record({
  leap: mostly(0, 6, 1, 5, 15, 40, 200),
  change: mostly<number | null>(null, 6, 0, 1, 2),
  asks: fc.array(ask, { minLength: 1, maxLength: 3 }),
  reply,
});

const resource: fc.Arbitrary<Resource> = fc.record({
  vary: mostly<string | null>(null, 2, 'x-a', 'x-a', 'x-b, X-A', '*'),
  etag: mostly<Resource['etag']>('strong', 2, 'weak', null),
  dated: fc.boolean(),
});

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  resources: fc.array(resource, { minLength: PLACES.length, maxLength: PLACES.length }),
  turns: fc.array(turn, { minLength: 2, maxLength: 14 }),
});
