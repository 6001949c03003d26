/** What is particular to shared caches: Authorization (RFC 9111 §3.5), targeted fields (RFC 9213), interim answers, Cache-Status (RFC 9211). */
import { asked, type Case, type Chapter, checked, type Fields, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };
const ANNA = { send: { authorization: 'Basic YW5uYTph' } };
const BERT = { send: { authorization: 'Basic YmVydDpi' } };

export const authorization: Chapter = {
  title: 'authorization',
  cases: [
    must('3.5', 'what answers credentials is not for others', asked(FRESH, ANNA), asked({}, BERT)),
    must('3.5', 'what answers credentials is not for those without', asked(FRESH, ANNA), asked()),
    must('3.5', 'what answers credentials is not even for the same', asked(FRESH, ANNA), asked({}, ANNA)),
    must('3.5', 'nor by Expires', asked({ expires: '{now+600}' }, ANNA), asked()),
    must('3.5', 'nor by heuristic', asked({ 'last-modified': '{now-8640000}' }, ANNA), asked()),
    must('3.5', 'nor with immutable', asked({ 'cache-control': 'max-age=600, immutable' }, ANNA), asked()),
    must('3.5', 'nor with proxy-revalidate', asked({ 'cache-control': 'max-age=600, proxy-revalidate' }, ANNA), asked()),
    must('3.5', 'nor a 401', asked(FRESH, { ...ANNA, answer: { status: 401 } }), asked({}, BERT)),
    must('3.5', 'nor with credentials that are empty', asked(FRESH, { send: { authorization: '' } }), asked()),
    must('3.5', 'nor where public and the others are in quotes', asked({ 'cache-control': 'max-age=600, ext="public, s-maxage=9, must-revalidate"' }, ANNA), asked()),
    good('3.5', 'nor with an s-maxage that is no number', asked({ 'cache-control': 's-maxage=abc, max-age=600' }, ANNA), asked()),
    ...['public, max-age=600', 's-maxage=600', 'must-revalidate, max-age=600'].flatMap((value) => [
      good('3.5', `${value} lets it be stored`, asked({ 'cache-control': value }, ANNA), unasked(ANNA)),
      good('3.5', `${value} lets others have it`, asked({ 'cache-control': value }, ANNA), unasked(BERT)),
    ]),
    must('3.5', 'public with Vary: Authorization keeps credentials apart',
      asked({ 'cache-control': 'public, max-age=600', vary: 'Authorization' }, ANNA), asked({}, BERT)),
    must('3.5', 'public with private', asked({ 'cache-control': 'public, private, max-age=600' }, ANNA), asked({}, BERT)),
    must('3.5', 's-maxage=0', asked({ 'cache-control': 's-maxage=0, max-age=600' }, ANNA), asked()),
    must('3.5', 'public and stale is checked', asked({ 'cache-control': 'public, max-age=600', age: '700' }, ANNA), asked({}, BERT)),
    good('3.5', 'what answers those without is for those with', asked(FRESH), unasked(ANNA)),
    must('3.5', 'credentials that have it checked do not make it theirs alone, nor another’s', asked({ ...FRESH, age: '700', etag: '"a"' }),
      asked({ ...FRESH, etag: '"b"' }, ANNA), asked()),
  ],
};

const cdn = (targeted: string | readonly string[], general: string, more: Fields = {}): Fields =>
  ({ 'cdn-cache-control': targeted, 'cache-control': general, ...more });
const wins = (name: string, fields: Fields): Case => good('9213 2.2', name, asked(fields), unasked());
const bars = (name: string, fields: Fields): Case => must('9213 2.2', name, asked(fields), asked());

export const targeted: Chapter = {
  title: 'targeted',
  cases: [
    wins('max-age over no-store', cdn('max-age=600', 'no-store')),
    wins('max-age over private', cdn('max-age=600', 'private')),
    wins('max-age over no-cache', cdn('max-age=600', 'no-cache')),
    wins('max-age over max-age=0', cdn('max-age=600', 'max-age=0')),
    wins('max-age over s-maxage', cdn('max-age=600', 's-maxage=10', { age: '30' })),
    wins('max-age over a past Expires', { 'cdn-cache-control': 'max-age=600', expires: '{now-600}' }),
    wins('max-age over Pragma', { 'cdn-cache-control': 'max-age=600', pragma: 'no-cache' }),
    wins('a directive twice: the last', cdn('max-age=0, max-age=600', 'no-store')),
    wins('a parameter means nothing', cdn('max-age=600;x=y', 'no-store')),
    wins('directives that nobody knows', cdn('foo, bar=1.5, baz="no-store", max-age=600', 'no-store')),
    wins('two lines', cdn(['foo', 'max-age=600'], 'no-store')),
    bars('no-store over max-age', cdn('no-store', 'max-age=600')),
    bars('private over max-age', cdn('private', 'max-age=600')),
    bars('no-cache over max-age', cdn('no-cache, max-age=600', 'max-age=600')),
    bars('max-age=0 over max-age', cdn('max-age=0', 'max-age=600')),
    bars('Age counts', cdn('max-age=600', 'max-age=9999', { age: '700' })),
    bars('no lifetime over Expires', { 'cdn-cache-control': 'no-cache', expires: '{now+600}' }),
    bars('no-store in a second line', cdn(['max-age=600', 'no-store'], 'max-age=600')),
    bars('a directive twice: the last, which ends it', cdn('max-age=600, max-age=0', 'max-age=600')),
    ...['max-age=', 'Max-Age=600', 'max-age=600 no-store', 'max-age=600,', '"max-age"=600', 'max-age="600', ', max-age=600', '=600', 'é=1'].flatMap((value) => [
      bars(`${value} is no dictionary: Cache-Control holds, which forbids`, cdn(value, 'no-store')),
      good('9213 2.2', `${value} is no dictionary: Cache-Control holds, which allows`,
        asked(cdn(value.replace('max-age=600', 'no-store'), 'max-age=600')), unasked()),
    ]),
    bars('empty: Cache-Control holds, which forbids', cdn('', 'no-store')),
    good('9213 2.2', 'empty: Cache-Control holds, which allows', asked(cdn('', 'max-age=600')), unasked()),
    good('9213 2.2', 'stale by it, and checked', asked(cdn('max-age=600', 'max-age=9999', { age: '700', etag: '"a"' })), checked(cdn('max-age=600', 'no-store')), unasked({ from: 1 })),
    must('9213 2.2', 'what it allows to reuse after a check, not what Cache-Control says',
      asked(cdn('max-age=600', 'max-age=9999', { age: '700', etag: '"a"' })), checked(cdn('no-store', 'max-age=600')), asked()),
    good('9213 2.2', 'stale-if-error of it', asked(cdn('max-age=600, stale-if-error=300', 'no-store', { age: '700' })),
      asked({}, { answer: { status: 503 }, from: 1, status: 200 })),
    must('3.5', 'credentials need more than its max-age', asked(cdn('max-age=600', 'max-age=600'), ANNA), asked({}, BERT)),
    good('9213 2.2', 'its public is enough for credentials', asked(cdn('public, max-age=600', 'no-store'), ANNA), unasked(BERT)),
    good('9213 2', 'the fields of other caches mean nothing', asked({ ...FRESH, 'surrogate-control': 'no-store', 'other-cdn-cache-control': 'no-store' }), unasked()),
  ],
};

export const interim: Chapter = {
  title: 'interim',
  cases: [
    good('9110 15.2', '103 before what is stored', asked(FRESH, { answer: { interim: [[103, { link: '</a.css>; rel=preload' }]] }, lacks: ['link'] }), unasked({ lacks: ['link'] })),
    good('9110 15.2', '102 before what is stored', asked(FRESH, { answer: { interim: [[102, {}]] } }), unasked()),
    must('9110 15.2', 'a lifetime of an interim answer is not that of the final one',
      asked({ 'cache-control': 'no-store' }, { answer: { interim: [[103, FRESH]] } }), asked()),
    must('9110 15.2', 'an interim answer to a check is not its end', asked({ ...FRESH, age: '700', etag: '"a"' }),
      { ...checked(FRESH), origin: { status: 304, fields: FRESH, interim: [[103, { link: '</a.css>' }]] } }, { how: 'any', lacks: ['link'] }),
  ],
};

export const cacheStatus: Chapter = {
  title: 'cache-status',
  cases: [
    good('9211 2.1', 'a hit', asked(FRESH), unasked({ has: { 'cache-status': '/^[^,;]+;.*\\bhit\\b/' } })),
    good('9211 2.1', 'a hit has no fwd', asked(FRESH), unasked({ has: { 'cache-status': '/^(?!.*fwd)/' } })),
    good('9211 2.4', 'a hit says what is left', asked({ ...FRESH, age: '100' }), unasked({ has: { 'cache-status': '/ttl=(500|49\\d)\\b/' } })),
    good('9211 2.2', 'a miss', asked(FRESH, { has: { 'cache-status': '/fwd=(uri-)?miss\\b/' } })),
    good('9211 2.2', 'a variant that is missing', asked({ ...FRESH, vary: 'x-a' }, { send: { 'x-a': '1' } }), asked(FRESH, { send: { 'x-a': '2' }, has: { 'cache-status': '/fwd=(vary-)?miss\\b/' } })),
    good('9211 2.2', 'stale and checked', asked({ ...FRESH, age: '700', etag: '"a"' }), checked(FRESH, { has: { 'cache-status': '/fwd=stale\\b.*fwd-status=304\\b/' } })),
    good('9211 2.2', 'stale and replaced', asked({ ...FRESH, age: '700' }), asked(FRESH, { has: { 'cache-status': '/fwd=stale\\b/' } })),
    good('9211 2.2', 'at the request’s wish', asked(FRESH), asked({}, { send: { 'cache-control': 'no-cache' }, has: { 'cache-status': '/fwd=(request|bypass)\\b/' } })),
    good('9211 2.2', 'for its method', asked({}, { method: 'POST', content: 'a', has: { 'cache-status': '/fwd=(method|bypass)\\b/' } })),
    good('9211 2.5', 'stored', asked(FRESH, { has: { 'cache-status': '/\\bstored\\b/' } })),
    must('9211 2.5', 'not stored', asked({ 'cache-control': 'no-store' }, { has: { 'cache-status': '/^(?!.*\\bstored\\b(?!=\\?0))/' } })),
    must('9211 2', 'ours comes after those before us', asked({ ...FRESH, 'cache-status': 'Before; hit' }, { has: { 'cache-status': '/^Before; ?hit, .*fwd/' } })),
    must('9211 2', 'ours comes after those before us in a hit too',
      asked({ ...FRESH, 'cache-status': 'Before; hit' }), unasked({ has: { 'cache-status': '/^Before; ?hit, [^,]*hit/' } })),
    good('9211 2.1', 'stale served is a hit with what is left below zero',
      asked({ ...FRESH, age: '700' }), unasked({ send: { 'cache-control': 'max-stale' }, has: { 'cache-status': '/hit.*ttl=-10\\d/' } })),
  ],
};
