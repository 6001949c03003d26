/** Which stored answer is the one: the key and Vary (RFC 9111 §2, §4.1). */
import { asked, type Case, type Chapter, checked, type Fields, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };
const vary = (value: string | readonly string[], more: Fields = {}): Fields => ({ ...FRESH, vary: value, ...more });
const STALE = { 'cache-control': 'max-age=600', age: '700' };

const matching = (name: string, value: string, first: Fields, second: Fields): Case =>
  good('4.1', name, asked(vary(value), { send: first }), unasked({ send: second }));
const different = (name: string, value: string | readonly string[], first: Fields, second: Fields): Case =>
  must('4.1', name, asked(vary(value), { send: first }), asked({}, { send: second }));

const variants: Case[] = [
  matching('the same value', 'x-a', { 'x-a': '1' }, { 'x-a': '1' }),
  matching('absent from both', 'x-a', {}, {}),
  matching('a name of another case', 'X-A', { 'x-a': '1' }, { 'X-a': '1' }),
  matching('what Vary does not name', 'x-a', { 'x-a': '1', 'x-b': '1' }, { 'x-a': '1', 'x-b': '2' }),
  matching('two lines and one', 'x-a', { 'x-a': ['1', '2'] }, { 'x-a': '1, 2' }),
  matching('space between members', 'accept-encoding', { 'accept-encoding': 'gzip,br' }, { 'accept-encoding': 'gzip,  br' }),
  matching('space between members of a field that nobody knows', 'x-a', { 'x-a': '1,2' }, { 'x-a': '1, 2' }),
  different('another value', 'x-a', { 'x-a': '1' }, { 'x-a': '2' }),
  different('absent, then there', 'x-a', {}, { 'x-a': '1' }),
  different('there, then absent', 'x-a', { 'x-a': '1' }, {}),
  different('empty is not absent', 'x-a', {}, { 'x-a': '' }),
  different('absent is not empty', 'x-a', { 'x-a': '' }, {}),
  different('a value of another case', 'x-a', { 'x-a': 'a' }, { 'x-a': 'A' }),
  different('members in another order', 'x-a', { 'x-a': '1, 2' }, { 'x-a': '2, 1' }),
  different('a member more', 'x-a', { 'x-a': '1' }, { 'x-a': '1, 1' }),
  different('space within a member', 'x-a', { 'x-a': 'a b' }, { 'x-a': 'ab' }),
  different('a comma in quotes is no comma', 'x-a', { 'x-a': '"a,b"' }, { 'x-a': '"a, b"' }),
  different('the second of two names', 'x-a, x-b', { 'x-a': '1', 'x-b': '1' }, { 'x-a': '1', 'x-b': '2' }),
  different('the second of two lines', ['x-a', 'x-b'], { 'x-a': '1', 'x-b': '1' }, { 'x-a': '1', 'x-b': '2' }),
  different('values that run into each other', 'x-a, x-b', { 'x-a': '1', 'x-b': '23' }, { 'x-a': '12', 'x-b': '3' }),
  different('values under each other’s names', 'x-a, x-b', { 'x-a': '1', 'x-b': '2' }, { 'x-a': '2', 'x-b': '1' }),
  different('cookies', 'Cookie', { cookie: 'a=1' }, { cookie: 'a=2' }),
  different('star', '*', {}, {}),
  different('star among others', 'x-a, *', { 'x-a': '1' }, { 'x-a': '1' }),
  different('star in a second line', ['x-a', '*'], { 'x-a': '1' }, { 'x-a': '1' }),
  must('4.1', 'star is not served when the origin is gone', asked({ ...vary('*'), etag: '"a"' }),
    asked({}, { answer: { gone: true }, from: 0, status: [0, 500, 502, 503, 504] })),
  good('4.1', 'several variants live side by side', asked(vary('x-a'), { send: { 'x-a': '1' } }), asked(vary('x-a'), { send: { 'x-a': '2' } }),
    asked(vary('x-a'), { send: {} }), unasked({ send: { 'x-a': '1' }, from: 1 }), unasked({ send: { 'x-a': '2' }, from: 2 }), unasked({ from: 3 })),
  must('4.1', 'of several variants each gets its own', asked(vary('x-a'), { send: { 'x-a': '1' } }), asked(vary('x-a'), { send: { 'x-a': '2' } }),
    asked({}, { send: { 'x-a': '3' } })),
  must('4.1', 'variants that vary by different fields: neither fits',
    asked(vary('x-a'), { send: { 'x-a': '1', 'x-b': '1' } }), asked(vary('x-b'), { send: { 'x-a': '2', 'x-b': '2' } }),
    asked({}, { send: { 'x-a': '3', 'x-b': '3' } })),
  good('4.1', 'variants that vary by different fields: the first fits', asked(vary('x-a'), { send: { 'x-a': '1', 'x-b': '1' } }),
    asked(vary('x-b'), { send: { 'x-a': '2', 'x-b': '2' } }), unasked({ send: { 'x-a': '1', 'x-b': '9' }, from: 1 })),
  good('4.1', 'of two that fit, the newer', asked(vary('x-a', { date: '{now-50}' }), { send: { 'x-a': '1' } }),
    asked(vary('x-b', { date: '{now-20}' }), { send: { 'x-a': '2', 'x-b': '2' } }), unasked({ send: { 'x-a': '1', 'x-b': '2' }, from: 2 })),
  good('4.1', 'a check with what the variants have', asked({ ...STALE, vary: 'x-a', etag: '"1"' }, { send: { 'x-a': '1' } }),
    { how: 'asked', send: { 'x-a': '2' }, origin: { status: 304, fields: { ...FRESH, vary: 'x-a', etag: '"1"' } }, seen: { has: { 'if-none-match': '"1"' } }, from: 1 },
    unasked({ send: { 'x-a': '2' }, from: 1 })),
  must('4.1', 'a check of one variant does not freshen another',
    asked({ ...STALE, vary: 'x-a', etag: '"1"' }, { send: { 'x-a': '1' } }), asked({ ...STALE, vary: 'x-a', etag: '"2"' }, { send: { 'x-a': '2' } }),
    checked({ ...FRESH, etag: '"2"' }, { send: { 'x-a': '2' }, from: 2 }), asked({}, { send: { 'x-a': '1' } })),
  good('4.3.4', 'a check of one variant is of that one', asked({ ...STALE, vary: 'x-a', etag: '"1"' }, { send: { 'x-a': '1' } }),
    asked({ ...STALE, vary: 'x-a', etag: '"2"' }, { send: { 'x-a': '2' } }), checked({ ...FRESH, etag: '"1"' }, { send: { 'x-a': '1' }, from: 1 }),
    unasked({ send: { 'x-a': '1' }, from: 1 })),
];

const codings: Case[] = [
  matching('codings in another order', 'accept-encoding', { 'accept-encoding': 'gzip, br' }, { 'accept-encoding': 'br, gzip' }),
  matching('codings in another case', 'accept-encoding', { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'GZip' }),
  matching('empty members', 'accept-encoding', { 'accept-encoding': 'gzip, br' }, { 'accept-encoding': ',gzip,,  ,br , ' }),
  different('another coding', 'accept-encoding', { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'br' }),
  different('a coding that is refused', 'accept-encoding', { 'accept-encoding': 'gzip' }, { 'accept-encoding': 'gzip;q=0' }),
  different('no coding but identity is not any coding', 'accept-encoding', {}, { 'accept-encoding': '' }),
  good('4.1', 'a newer answer without Vary is for all', asked({ ...STALE, vary: 'x-a' }, { send: { 'x-a': '1' } }),
    asked(vary('x-a', { date: '{now-50}' }), { send: { 'x-a': '2' } }), asked(FRESH, { send: { 'x-a': '1' } }), unasked({ send: { 'x-a': '2' }, from: 3 })),
  ...['x a', 'x-a:', '"x-a"', 'x-a; x-b'].map((value) =>
    good('9110 12.5.5', `Vary: ${value}, which names nothing that can be, is as good as a star`, asked(vary(value)), asked())),
  good('9110 12.5.5', 'Vary of empty members is of the others', asked(vary(',, X-A , ,'), { send: { 'x-a': '1' } }), unasked({ send: { 'x-a': '1' } })),
];

const keys: Case[] = [
  must('2', 'another host', asked(FRESH, { host: 'one.example' }), asked({}, { host: 'two.example' })),
  must('2', 'another port', asked(FRESH, { host: 'one.example' }), asked({}, { host: 'one.example:8080' })),
  good('9110 4.2.3', 'a host of another case', asked(FRESH, { host: 'one.example' }), unasked({ host: 'ONE.Example', from: 1 })),
  must('2', 'a path of another case', asked(FRESH, { at: '/a' }), asked({}, { at: '/A' })),
  must('2', 'a path with a slash more', asked(FRESH, { at: '/a' }), asked({}, { at: '/a/' })),
  must('2', 'another query', asked(FRESH, { at: '?a=1' }), asked({}, { at: '?a=2' })),
  must('2', 'a query or none', asked(FRESH), asked({}, { at: '?a=1' })),
  must('2', 'an empty query or none', asked(FRESH), asked({}, { at: '?' })),
  must('2', 'a query in another order', asked(FRESH, { at: '?a=1&b=2' }), asked({}, { at: '?b=2&a=1' })),
  must('2', 'a parameter twice', asked(FRESH, { at: '?a=1' }), asked({}, { at: '?a=1&a=1' })),
  must('9110 4.2.3', 'a slash that is encoded is no slash', asked(FRESH, { at: '/a/b' }), asked({}, { at: '/a%2Fb' })),
  must('9110 4.2.3', 'an encoded question mark begins no query', asked(FRESH, { at: '/a?b' }), asked({}, { at: '/a%3Fb' })),
  must('9110 4.2.3', 'an encoded ampersand parts no parameters', asked(FRESH, { at: '?a=1&b=2' }), asked({}, { at: '?a=1%26b=2' })),
  must('2', 'plus is no space', asked(FRESH, { at: '?a=1+2' }), asked({}, { at: '?a=1%202' })),
  good('2', 'each query its own', asked(FRESH, { at: '?a=1' }), asked(FRESH, { at: '?a=2' }), unasked({ at: '?a=1', from: 1 }), unasked({ at: '?a=2', from: 2 })),
];

export const keyChapter: Chapter = { title: 'keys', cases: [...keys, ...variants, ...codings] };
