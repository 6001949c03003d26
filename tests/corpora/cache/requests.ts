/** What a request may ask of a cache (RFC 9111 §5.2.1, §5.4). */
import { asked, type Chapter, checked, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };
const AGED = { 'cache-control': 'max-age=600', age: '300' };
const STALE = { 'cache-control': 'max-age=600', age: '700' };
const ask = (value: string | readonly string[]) => ({ send: { 'cache-control': value } });

export const requests: Chapter = {
  title: 'requests',
  cases: [
    good('5.2.1.1', 'max-age=0', asked(FRESH), asked({}, ask('max-age=0'))),
    good('5.2.1.1', 'max-age=0 has it checked', asked({ ...FRESH, etag: '"a"' }), checked({}, ask('max-age=0'))),
    good('5.2.1.1', 'max-age less than its age', asked(AGED), asked({}, ask('max-age=200'))),
    good('5.2.1.1', 'max-age more than its age', asked(AGED), unasked(ask('max-age=400'))),
    must('5.2.1.1', 'max-age gives what is stale no life', asked(STALE), asked({}, ask('max-age=9999'))),
    good('5.2.1.1', 'max-age of an odd case and in quotes', asked(AGED), asked({}, ask('Max-Age="200"'))),
    good('5.2.1.3', 'min-fresh more than is left', asked(AGED), asked({}, ask('min-fresh=400'))),
    good('5.2.1.3', 'min-fresh less than is left', asked(AGED), unasked(ask('min-fresh=200'))),
    good('5.2.1.2', 'max-stale takes what is stale', asked(STALE), unasked({ ...ask('max-stale'), age: [700, 703] })),
    good('5.2.1.2', 'max-stale within its limit', asked(STALE), unasked(ask('max-stale=200'))),
    must('5.2.1.2', 'max-stale beyond its limit', asked(STALE), asked({}, ask('max-stale=50'))),
    good('5.2.1.2', 'max-stale with max-age: older than that is not wanted', asked(STALE), asked({}, ask('max-age=100, max-stale=9'))),
    ...['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=600'].map((directive) =>
      must('4.2.4', `max-stale does not overrule ${directive}`,
        asked({ 'cache-control': `max-age=600, ${directive}`, age: '700' }), asked({}, ask('max-stale')))),
    must('4.2.4', 'max-stale that is no number takes no liberty', asked(STALE), asked({}, ask('max-stale=abc'))),
    must('5.2.1.4', 'no-cache', asked(FRESH), asked({}, ask('no-cache'))),
    good('5.2.1.4', 'no-cache has it checked', asked({ ...FRESH, etag: '"a"' }), checked(FRESH, ask('no-cache')), unasked({ from: 1 })),
    must('5.2.1.4', 'no-cache in a second line', asked(FRESH), asked({}, ask(['max-age=600', 'no-cache']))),
    must('5.2.1.4', 'no-cache beats max-stale', asked(FRESH), asked({}, ask('max-stale, no-cache'))),
    good('5.2.1.4', 'what no-cache brings is stored', asked(FRESH), asked(FRESH, ask('no-cache')), unasked({ from: 2 })),
    good('5.4', 'Pragma: no-cache where there is no Cache-Control', asked(FRESH), asked({}, { send: { pragma: 'no-cache' } })),
    good('5.4', 'Pragma: no-cache is nothing beside Cache-Control', asked(FRESH), unasked({ send: { pragma: 'no-cache', 'cache-control': 'max-age=600' } })),
    good('5.2.1.5', 'what is stored serves a request with no-store', asked(FRESH), unasked(ask('no-store'))),
    must('5.2.1.5', 'a request with no-store leaves what is stored as it is',
      asked({ ...FRESH, etag: '"a"' }), asked({ ...FRESH, etag: '"b"' }, ask('no-store, no-cache')), { how: 'any', has: { etag: '/"a"|"c"/' }, origin: { fields: { etag: '"c"' } } }),
    good('5.2.1.7', 'only-if-cached with nothing stored: 504', { how: 'unasked', ...ask('only-if-cached'), from: 0, status: 504 }),
    good('5.2.1.7', 'only-if-cached with something stored', asked(FRESH), unasked(ask('only-if-cached'))),
    good('5.2.1.7', 'only-if-cached with something stale: 504', asked(STALE), { how: 'unasked', ...ask('only-if-cached'), from: 0, status: 504 }),
    good('5.2.1.7', 'only-if-cached with something stale that is wanted', asked(STALE), unasked(ask('only-if-cached, max-stale'))),
    good('5.2.1.7', 'only-if-cached with another variant stored: 504',
      asked({ ...FRESH, vary: 'x-a' }, { send: { 'x-a': '1' } }), { how: 'unasked', send: { 'cache-control': 'only-if-cached', 'x-a': '2' }, from: 0, status: 504 }),
    good('5.2.1', 'directives that nobody knows', asked(FRESH), unasked(ask('foo, bar="no-cache", max-age=600'))),
    good('5.2.1.6', 'no-transform', asked(FRESH), unasked(ask('no-transform'))),
    good('4', 'a GET with content goes to the origin or not, but is answered',
      asked(FRESH), { how: 'any', content: 'abc', status: 200 }),
  ],
};
