import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestDirectives } from '../../../src/cache/rules/directives.ts';
import {
  FRESH,
  mayServeOnError,
  type Reuse,
  reuse,
  STALE,
  STALE_WHILE_REVALIDATE,
  type Stored,
  VALIDATE,
} from '../../../src/cache/rules/reuse.ts';

const NOW = 1_800_000_000_000;
const NAMES: Readonly<Record<Reuse, string>> = {
  [VALIDATE]: 'validate',
  [FRESH]: 'fresh',
  [STALE_WHILE_REVALIDATE]: 'while',
  [STALE]: 'stale',
};

function stored(age: number, more: Partial<Stored> = {}): Stored {
  return {
    bornAt: NOW - age * 1000,
    lifetime: 60,
    neverFresh: false,
    noCache: false,
    mustRevalidate: false,
    staleWhileRevalidate: -1,
    staleIfError: -1,
    ...more,
  };
}

const decide = (one: Stored, asked?: string): string => NAMES[reuse(one, requestDirectives(asked, undefined), NOW)];

describe('without a word from the client (RFC 9111 §4.2)', () => {
  test.each<[string, number, Partial<Stored>?]>([
    ['fresh', 0],
    ['fresh', 59.999],
    ['validate', 60],
    ['validate', 61],
    ['validate', 0, { lifetime: 0 }],
    ['fresh', -5],
    ['validate', 0, { noCache: true }],
    ['validate', 100, { noCache: true, staleWhileRevalidate: 100 }],
    ['fresh', 59, { mustRevalidate: true }],
    // RFC 5861 §3
    ['while', 60, { staleWhileRevalidate: 10 }],
    ['while', 69.9, { staleWhileRevalidate: 10 }],
    ['validate', 70, { staleWhileRevalidate: 10 }],
    ['validate', 60, { staleWhileRevalidate: 0 }],
    // §5.2.2.2, §5.2.2.8, §5.2.2.10
    ['validate', 61, { staleWhileRevalidate: 10, mustRevalidate: true }],
  ])('%s at %d s, %j', (what, age, more) => {
    expect(decide(stored(age, more))).toBe(what);
    // What the client says that is not known changes nothing.
    expect(decide(stored(age, more), 'foo')).toBe(what);
  });
});

describe('with one (RFC 9111 §5.2.1)', () => {
  test.each<[string, string, number, Partial<Stored>?]>([
    ['validate', 'no-cache', 0],
    ['validate', 'no-cache, max-stale', 100],
    ['validate', 'max-age=0', 0],
    ['validate', 'max-age=1', 3],
    ['fresh', 'max-age=3', 3],
    ['validate', 'max-age=3, max-stale', 4],
    ['fresh', 'max-age=600', 1],
    ['validate', 'max-age=600', 61],
    ['validate', 'min-fresh=31', 30],
    ['fresh', 'min-fresh=30', 30],
    ['validate', 'min-fresh=0', 60],
    ['validate', 'min-fresh=1, max-stale', 61],
    ['validate', 'min-fresh=0', 60, { staleWhileRevalidate: 10 }],
    ['stale', 'max-stale', 10_000],
    ['stale', 'max-stale=1000', 61],
    ['stale', 'max-stale=1', 61],
    ['validate', 'max-stale=1', 61.5],
    ['stale', 'max-stale=0', 60],
    ['stale', 'max-age=600, max-stale=100', 70],
    ['validate', 'max-stale', 61, { mustRevalidate: true }],
    ['validate', 'max-stale', 1, { noCache: true }],
    // What the origin permits, within what the client wants.
    ['while', 'max-stale=5', 62, { staleWhileRevalidate: 10 }],
    ['validate', 'max-stale=1', 62, { staleWhileRevalidate: 10 }],
    ['stale', 'max-stale=100', 75, { staleWhileRevalidate: 10 }],
    ['validate', 'max-age=100', 62, { staleWhileRevalidate: 10 }],
    ['while', 'no-store', 62, { staleWhileRevalidate: 10 }],
    ['while', 'only-if-cached', 62, { staleWhileRevalidate: 10 }],
    // Stored only to be validated.
    ['validate', 'max-stale', 0, { lifetime: 0, neverFresh: true }],
    ['validate', 'max-stale=3600', 1, { lifetime: 0, neverFresh: true }],
    ['while', 'max-stale', 1, { lifetime: 0, neverFresh: true, staleWhileRevalidate: 10 }],
    ['validate', 'max-stale', 11, { lifetime: 0, neverFresh: true, staleWhileRevalidate: 10 }],
    ['fresh', 'only-if-cached', 5],
    ['fresh', 'no-store', 5],
  ])('%s for %j at %d s, %j', (what, asked, age, more) => {
    expect(decide(stored(age, more), asked)).toBe(what);
  });
});

describe('when the origin fails (RFC 9111 §4.2.4, RFC 5861 §4)', () => {
  const may = (one: Stored, asked: string | undefined, window: number): boolean =>
    mayServeOnError(one, requestDirectives(asked, undefined), NOW, window);

  test.each<[boolean, number, Partial<Stored>, string | undefined, number]>([
    [false, 61, {}, undefined, -1],
    [true, 61, {}, undefined, 10],
    [true, 70, {}, undefined, 10],
    [false, 71, {}, undefined, 10],
    [true, 70, { staleIfError: 10 }, undefined, -1],
    [false, 71, { staleIfError: 10 }, undefined, 1000],
    [true, 70, {}, 'stale-if-error=10', -1],
    [false, 70, { staleIfError: 100 }, 'stale-if-error=5', 1000],
    [false, 61, { staleIfError: 0 }, undefined, 1000],
    [false, 61, { staleIfError: 100 }, 'stale-if-error=0', -1],
    [false, 61, {}, 'stale-if-error=0', 1000],
    [true, 5, {}, undefined, -1],
    [true, 5, {}, 'max-age=0', -1],
    [false, 5, { noCache: true }, undefined, 1000],
    [false, 5, {}, 'no-cache', 1000],
    [false, 61, { mustRevalidate: true, staleIfError: 1000 }, 'stale-if-error=1000', 1000],
    [true, 59, { mustRevalidate: true }, undefined, -1],
    // Stored only to be validated: by its own permission alone.
    [false, 0, { lifetime: 0, neverFresh: true }, undefined, 3600],
    [false, 1, { lifetime: 0, neverFresh: true }, 'stale-if-error=3600', 3600],
    [true, 1, { lifetime: 0, neverFresh: true, staleIfError: 10 }, undefined, -1],
  ])('%j at %d s, %j, %j, window %d', (expected, age, more, asked, window) => {
    expect(may(stored(age, more), asked, window)).toBe(expected);
  });
});

test('nothing is reused that RFC 9111 §4 forbids', () => {
  const second = fc.integer({ min: -1, max: 100 });
  const entry = fc.record({
    age: fc.integer({ min: 0, max: 200 }),
    lifetime: fc.integer({ min: 0, max: 100 }),
    noCache: fc.boolean(),
    mustRevalidate: fc.boolean(),
    staleWhileRevalidate: second,
    staleIfError: second,
  });
  const asked = fc.array(
    fc.constantFrom('no-cache', 'max-stale', 'max-stale=20', 'max-age=50', 'min-fresh=10', 'no-store'),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(entry, asked, (one, words) => {
      const what = decide(stored(one.age, one), words.length === 0 ? undefined : words.join(', '));
      const fresh = one.lifetime > one.age;
      if (what === 'fresh') expect(fresh && !one.noCache).toBe(true);
      if (what === 'while' || what === 'stale') {
        expect(!fresh && !one.noCache && !one.mustRevalidate).toBe(true);
        const staleFor = one.age - one.lifetime;
        expect(words.some((word) => word.startsWith('max-stale')) || staleFor < one.staleWhileRevalidate).toBe(true);
      }
      if (words.includes('no-cache')) expect(what).toBe('validate');
    }),
  );
});
