/**
 * Held against http-cache-semantics, another reading of the same RFC, wherever that is right. Where it is not, and so not
 * asked: names of directives in any case, no-cache and private with field names, must-understand, proxy-revalidate and
 * fresh must-revalidate, numbers that are none, Set-Cookie, statuses that it does not know, max-stale to the second.
 */
import fc from 'fast-check';
import CachePolicy from 'http-cache-semantics';
import { expect, test } from 'vitest';
import { requestDirectives, responseDirectives } from '../../src/cache/rules/directives.ts';
import { freshnessLifetime, initialAge } from '../../src/cache/rules/freshness.ts';
import { reuse, VALIDATE } from '../../src/cache/rules/reuse.ts';
import { unstorableFields, whyNotStored } from '../../src/cache/rules/storable.ts';
import { freshened, identifies } from '../../src/cache/rules/update.ts';
import { Fields } from '../../src/http/fields.ts';

const NOW = Date.UTC(2026, 10, 15, 12);
const RULES = { defaultTtl: -1, minTtl: -1, maxTtl: -1, heuristicFraction: 0.1, heuristicMax: -1 };
const date = (seconds: number): string => new Date(NOW + seconds * 1000).toUTCString();

type Headers = Readonly<Record<string, string>>;

class PolicyAt extends CachePolicy {
  at: number | undefined = NOW;
  // The constructor asks before the field is set.
  override now(): number {
    return this.at ?? NOW;
  }
}

const fieldsOf = (headers: Headers): Fields => Fields.of(Object.entries(headers));
const policyOf = (request: Headers, status: number, headers: Headers): PolicyAt =>
  new PolicyAt(
    { headers: { host: 'h', ...request }, method: 'GET', url: '/' },
    { status, headers },
    { shared: true, cacheHeuristic: 0.1 },
  );

const seconds = fc.integer({ min: 0, max: 5000 });
const directive = fc.oneof(
  seconds.map((value) => `max-age=${value}`),
  seconds.map((value) => `s-maxage=${value}`),
  fc.constantFrom('public', 'private', 'no-store', 'no-cache', 'foo', 'bar=1', 'must-revalidate'),
);
const cacheControl = fc
  .uniqueArray(directive, { maxLength: 3, selector: (one) => one.split('=')[0] })
  .map((all) => (all.length === 0 ? {} : { 'cache-control': all.join(', ') }));
const optional = (name: string, value: fc.Arbitrary<string>): fc.Arbitrary<Headers> =>
  fc.option(value).map((found) => (found === null ? {} : { [name]: found }));
const instant = fc.integer({ min: -5000, max: 5000 }).map(date);
const response = fc
  .tuple(
    cacheControl,
    optional('expires', fc.oneof(instant, fc.constant('0'))),
    optional('last-modified', instant),
    // No later than it came, or its apparent age, which the other does not know, would count.
    fc.constant({ date: date(0) }),
    optional('age', seconds.map(String)),
  )
  .map((parts) => Object.assign({}, ...parts) as Headers);
const status = fc.constantFrom(200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501);
/** Both permit what RFC 9111 permits. */
const ALL = { setCookie: true, unauthorized: true };
const asked = optional('authorization', fc.constant('Basic x'));

test('what may be stored, for how long it is fresh, how old it is', () => {
  let stored = 0;
  fc.assert(
    fc.property(asked, status, response, (request, code, headers) => {
      const other = policyOf(request, code, headers);
      const fields = fieldsOf(headers);
      const directives = responseDirectives(headers['cache-control']);
      const nothing = requestDirectives(undefined, undefined);
      const why = whyNotStored('GET', fieldsOf(request), nothing, code, fields, directives, false, ALL);
      expect(why === '').toBe(other.storable());
      if (why !== '') return;
      stored++;
      expect(initialAge(fields, NOW, NOW)).toBe(other.age());
      // Its 0 for no-cache means what reuse.ts says of it.
      if (directives.noCache) return;
      expect(freshnessLifetime(code, fields, directives, false, NOW, RULES)).toBe(Math.floor(other.maxAge()));
    }),
    { numRuns: 1000 },
  );
  expect(stored).toBeGreaterThan(100);
});

test('what a request may have without waiting', () => {
  const word = fc.oneof(
    seconds.map((value) => `max-age=${value}`),
    seconds.map((value) => `min-fresh=${value}`),
    seconds.map((value) => `max-stale=${value}`),
    fc.constantFrom('no-cache', 'max-stale', 'no-store', 'foo'),
  );
  const words = fc.uniqueArray(word, { maxLength: 3, selector: (one) => one.split('=')[0] });
  const answers = new Set<boolean>();
  fc.assert(
    fc.property(
      seconds,
      fc.integer({ min: -1, max: 5000 }),
      fc.integer({ min: 0, max: 9999 }),
      words,
      (lifetime, grace, resident, all) => {
        // A client that says something about staleness goes before what the origin permits; the other has it otherwise.
        const staleWhileRevalidate = all.length === 0 ? grace : -1;
        const value = `max-age=${lifetime}${staleWhileRevalidate < 0 ? '' : `, stale-while-revalidate=${staleWhileRevalidate}`}`;
        const other = policyOf({}, 200, { 'cache-control': value, date: date(0) });
        // Never to the second.
        const now = NOW + resident * 1000 + 500;
        other.at = now;
        const headers = all.length === 0 ? {} : { 'cache-control': all.join(', ') };
        const evaluation = other.evaluateRequest({ headers: { host: 'h', ...headers }, method: 'GET', url: '/' });
        const entry = {
          bornAt: NOW,
          lifetime,
          // The other gives a client with max-stale also what never was fresh.
          neverFresh: false,
          noCache: false,
          mustRevalidate: false,
          staleWhileRevalidate,
          staleIfError: -1,
        };
        const may = reuse(entry, requestDirectives(headers['cache-control'], undefined), now) !== VALIDATE;
        expect(may).toBe(evaluation.response !== undefined);
        answers.add(may);
      },
    ),
    { numRuns: 1000 },
  );
  expect(answers.size).toBe(2);
});

test('what a 304 makes of the stored fields', () => {
  const extra = fc.dictionary(
    fc.constantFrom('x-a', 'x-b', 'content-type', 'content-length', 'content-encoding'),
    fc.constantFrom('1', '2'),
  );
  const tag = fc.constantFrom('"1"', '"2"', 'W/"1"', 'W/"2"');
  const validators = fc.tuple(optional('etag', tag), optional('last-modified', fc.constantFrom(date(-10), date(-20))));
  const updates = new Set<boolean>();
  fc.assert(
    fc.property(extra, validators, extra, validators, (old, [oldTag, oldModified], fresh, [newTag, newModified]) => {
      // With an entity-tag on one side only, the other goes by the date, or by nothing; §4.3.4 does not.
      fc.pre('etag' in oldTag === 'etag' in newTag);
      fc.pre('last-modified' in oldModified === 'last-modified' in newModified);
      const stored: Headers = { 'cache-control': 'max-age=1', ...old, ...oldTag, ...oldModified };
      const news: Headers = { 'cache-control': 'max-age=2', ...fresh, ...newTag, ...newModified };
      // A weak tag that came before a strong one is no strong match for us.
      fc.pre(!(oldTag['etag']?.startsWith('W/') === true && newTag['etag']?.startsWith('"') === true));
      const other = policyOf({}, 200, stored).revalidatedPolicy(
        { headers: { host: 'h' }, method: 'GET', url: '/' },
        { status: 304, headers: news },
      );
      const same = identifies(stored['etag'], stored['last-modified'], fieldsOf(news));
      expect(same).toBe(other.matches);
      updates.add(same);
      if (!same) return;
      const lines = freshened(
        Object.entries(stored),
        fieldsOf(news),
        unstorableFields(fieldsOf(news), responseDirectives(undefined)),
      );
      const { age: _age, date: _date, ...expected } = other.policy.responseHeaders();
      // It leaves out what was not there before, which §3.2 does not.
      expect(Object.fromEntries(lines.filter(([name]) => name in stored))).toEqual(expected);
    }),
    { numRuns: 1000 },
  );
  expect(updates.size).toBe(2);
});
