/** Checking what is stored, and what a check changes (RFC 9111 §4.3, §3.2). */
import { asked, type Case, type Chapter, checked, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const LM = '{now-8640000}';
const STALE = { 'cache-control': 'max-age=600', age: '700' };
const FRESH = { 'cache-control': 'max-age=600' };
/** Whatever tells the client that there is none: a connection that ends does too. */
const NO_ANSWER = [0, 500, 502, 503, 504];
const GONE = { answer: { gone: true } };

const ours: Case[] = [
  good('4.3.1', 'with its ETag', asked({ ...STALE, etag: '"a"' }), checked({}, { seen: { has: { 'if-none-match': '"a"' } } })),
  good('4.3.1', 'with its weak ETag', asked({ ...STALE, etag: 'W/"a"' }), checked({}, { seen: { has: { 'if-none-match': 'W/"a"' } } })),
  good('4.3.1', 'with its Last-Modified, letter by letter',
    asked({ ...STALE, 'last-modified': LM }), checked({}, { seen: { has: { 'if-modified-since': LM } } })),
  good('4.3.1', 'with its Last-Modified as rfc850, letter by letter',
    asked({ ...STALE, 'last-modified': '{now-864000 rfc850}' }), checked({}, { seen: { has: { 'if-modified-since': '{now-864000 rfc850}' } } })),
  good('4.3.1', 'with both', asked({ ...STALE, etag: '"a"', 'last-modified': LM }),
    checked({}, { seen: { has: { 'if-none-match': '"a"', 'if-modified-since': LM } } })),
  must('4.3.1', 'without a validator there is no condition',
    asked(STALE), asked({}, { seen: { lacks: ['if-none-match', 'if-modified-since'] } })),
  good('5.2.2.4', 'no-cache is stored, and checked each time',
    asked({ 'cache-control': 'no-cache', etag: '"a"' }), checked({}, { from: 1 }), checked({}, { from: 1 })),
  good('4.3.4', 'a check makes it fresh', asked({ ...STALE, etag: '"a"' }), checked(FRESH), unasked({ from: 1 })),
  good('4.3.4', 'a check by Last-Modified makes it fresh', asked({ ...STALE, 'last-modified': LM }), checked(FRESH), unasked({ from: 1 })),
  must('4.3.3', 'a new answer takes its place', asked({ ...STALE, etag: '"a"' }),
    asked({ ...FRESH, etag: '"b"' }), { how: 'any', has: { etag: '"b"' }, origin: { fields: { etag: '"b"' } } }),
  good('4.3.3', 'a new answer takes its place and serves', asked({ ...STALE, etag: '"a"' }),
    asked({ ...FRESH, etag: '"b"' }), unasked({ from: 2, has: { etag: '"b"' } })),
  must('4.3.3', 'a new answer that may not be stored leaves nothing behind', asked({ ...STALE, etag: '"a"' }),
    asked({ 'cache-control': 'no-store' }), asked()),
  must('3.2', 'what the 304 says is what its client gets', asked({ ...STALE, etag: '"a"', 'x-thing': 'old', 'x-kept': 'yes' }),
    checked({ 'x-thing': 'new' }, { has: { 'x-thing': 'new', 'x-kept': 'yes' } })),
  must('3.2', 'what the 304 says is what later clients get', asked({ ...STALE, etag: '"a"', 'x-thing': ['old', 'older'] }),
    checked({ ...FRESH, 'x-thing': 'new', 'x-more': '1' }), unasked({ from: 1, has: { 'x-thing': 'new', 'x-more': '1', etag: '"a"' } })),
  must('3.2', 'several lines of the 304 take the place of one', asked({ ...STALE, etag: '"a"', 'x-thing': 'old' }),
    checked({ ...FRESH, 'x-thing': ['new', 'newer'] }), unasked({ from: 1, has: { 'x-thing': 'new, newer' } })),
  must('3.3', 'a new answer that breaks off is not stored', asked({ ...STALE, etag: '"a"' }),
    asked({ ...FRESH, 'content-length': '100' }, { answer: { cut: 5 }, from: 0, status: [0, 200, 502] }), asked()),
  must('3.2', 'the Date of the 304', asked({ ...STALE, etag: '"a"', date: '{now-5000}' }),
    checked({ ...FRESH, date: '{now-20}' }, { has: { date: '{now-20}' } }), unasked({ has: { date: '{now-20}' }, age: [20, 23] })),
  must('3.2', 'the length of a 304 is not that of what is stored', asked({ ...STALE, etag: '"a"' }, { answer: { body: '0123456789' } }),
    checked({ ...FRESH, 'content-length': '0' }, { has: { 'content-length': '10' } }), unasked({ from: 1, has: { 'content-length': '10' } })),
  must('3.2', 'fields for the next hop of a 304 change nothing', asked({ ...STALE, etag: '"a"', 'x-hop': 'stored' }),
    checked({ ...FRESH, connection: 'x-hop', 'x-hop': 'hop' }), unasked({ from: 1, has: { 'x-hop': 'stored' } })),
  must('4.3.4', 'a 304 can make it private', asked({ ...STALE, etag: '"a"' }), checked({ 'cache-control': 'private, max-age=600' }), asked()),
  must('4.3.4', 'a 304 can forbid to store it', asked({ ...STALE, etag: '"a"' }), checked({ 'cache-control': 'no-store' }), asked()),
  must('4.3.4', 'a 304 can shorten its life', asked({ ...STALE, etag: '"a"' }), checked({ 'cache-control': 'max-age=0' }), asked()),
  must('4.3.4', 'a 304 of another strong ETag does not vouch for what is stored',
    asked({ ...STALE, etag: '"a"' }),
    { how: 'asked', origin: [{ status: 304, fields: { ...FRESH, etag: '"b"' } }, { fields: { ...FRESH, etag: '"b"' } }], from: 0, status: [200, 304, 502] },
    { how: 'any', has: { etag: '/^(?!"a"$)/' }, origin: { fields: { etag: '"c"' } } }),
  good('4.3.4', 'after a 304 of another strong ETag the origin is asked for the whole',
    asked({ ...STALE, etag: '"a"' }),
    { how: 'asked', origin: [{ status: 304, fields: { ...FRESH, etag: '"b"' } }, { fields: { ...FRESH, etag: '"b"' } }], from: 3 }),
];

const failing: Case[] = [
  must('5.2.2.2', 'must-revalidate: no stale answer when the origin is gone',
    asked({ 'cache-control': 'max-age=600, must-revalidate', age: '700', etag: '"a"' }), asked({}, { ...GONE, from: 0, status: NO_ANSWER })),
  must('5.2.2.8', 'proxy-revalidate: no stale answer when the origin is gone',
    asked({ 'cache-control': 'max-age=600, proxy-revalidate', age: '700', etag: '"a"' }), asked({}, { ...GONE, from: 0, status: NO_ANSWER })),
  must('5.2.2.10', 's-maxage: no stale answer when the origin is gone',
    asked({ 'cache-control': 's-maxage=600', age: '700', etag: '"a"' }), asked({}, { ...GONE, from: 0, status: NO_ANSWER })),
  must('5.2.2.4', 'no-cache: no unchecked answer when the origin is gone',
    asked({ 'cache-control': 'no-cache', etag: '"a"' }), asked({}, { ...GONE, from: 0, status: NO_ANSWER })),
  must('5.2.2.2', 'must-revalidate: an error of the origin goes to the client',
    asked({ 'cache-control': 'max-age=600, must-revalidate', age: '700', etag: '"a"' }), asked({}, { answer: { status: 503 } })),
  good('4.3.3', 'an error of the origin in a check does not spoil what is stored',
    asked({ ...STALE, etag: '"a"' }), asked({}, { answer: { status: 503 }, from: 0, status: [503, 200] }), checked({}, { from: 1 })),
  must('4.3.3', '404 in a check goes to the client', asked({ ...STALE, etag: '"a"' }), asked({}, { answer: { status: 404 } })),
];

const inm = (etag: string, sent: string | readonly string[], status: number): Case =>
  good('9110 13.1.2', `If-None-Match: ${[sent].flat().join(' + ')} where ${etag} is stored: ${status}`,
    asked({ ...FRESH, etag }), unasked({ send: { 'if-none-match': sent }, status, has: { etag } }));
const ims = (sent: string, status: number): Case =>
  good('9110 13.1.3', `If-Modified-Since: ${sent}: ${status}`,
    asked({ ...FRESH, 'last-modified': LM }), unasked({ send: { 'if-modified-since': sent }, status }));

const theirs: Case[] = [
  inm('"a"', '"a"', 304), inm('"a"', 'W/"a"', 304), inm('W/"a"', '"a"', 304), inm('W/"a"', 'W/"a"', 304), inm('"a"', '*', 304),
  inm('"a"', '"b", "a"', 304), inm('"a"', '"b","c",W/"a"', 304), inm('"a"', ['"b"', '"a"'], 304), inm('"a,b"', '"a,b"', 304),
  inm('"a"', '"b"', 200), inm('"a"', '"A"', 200), inm('"a"', '"a, b"', 200), inm('""', '""', 304), inm('"a"', ' , "a" ,', 304),
  inm('"a"', '"aa"', 200),
  ims(LM, 304), ims('{now-8640000 rfc850}', 304), ims('{now-8640000 asctime}', 304), ims('{now-100}', 304), ims('{now-8640001}', 200),
  ims('yesterday', 200), ims('0', 200),
  must('9110 13.1.3', 'If-None-Match that fails is not overruled by If-Modified-Since',
    asked({ ...FRESH, etag: '"a"', 'last-modified': LM }), { how: 'any', send: { 'if-none-match': '"b"', 'if-modified-since': LM }, status: 200 }),
  good('9110 13.1.3', 'If-None-Match that matches is not overruled by If-Modified-Since',
    asked({ ...FRESH, etag: '"a"', 'last-modified': LM }), unasked({ send: { 'if-none-match': '"a"', 'if-modified-since': '{now-9640000}' }, status: 304 })),
  good('4.3.2', 'If-Modified-Since where there is only a Date', asked({ ...FRESH, date: '{now-100}' }),
    unasked({ send: { 'if-modified-since': '{now-50}' }, status: 304 })),
  must('4.3.2', 'If-Modified-Since where there is only a later Date', asked({ ...FRESH, date: '{now-100}' }),
    { how: 'any', send: { 'if-modified-since': '{now-200}' }, status: 200 }),
  must('9110 15.4.5', 'a 304 of ours has what steers caches',
    asked({ ...FRESH, etag: '"a"', vary: 'x-a', expires: '{now+9999}', 'content-location': '/other', date: '{now-9}' }),
    unasked({ send: { 'if-none-match': '"a"' }, status: 304, age: [9, 12],
      has: { etag: '"a"', vary: 'x-a', expires: '{now+9999}', 'content-location': '/other', 'cache-control': 'max-age=600', date: '{now-9}' } })),
  must('9110 13.2.1', 'a condition is of no meaning where the answer is 404',
    asked({ ...FRESH, etag: '"a"' }, { answer: { status: 404 } }), { how: 'any', send: { 'if-none-match': '"a"' }, status: 404, origin: { status: 404 } }),
  good('4.3.2', 'HEAD with a condition', asked({ ...FRESH, etag: '"a"' }), unasked({ method: 'HEAD', send: { 'if-none-match': '"a"' }, status: 304 })),
  good('4.3.2', 'a condition where what is stored is stale: checked for the client',
    asked({ ...STALE, etag: '"a"' }), checked(FRESH, { send: { 'if-none-match': '"a"' }, status: 304 }), unasked({ from: 1 })),
  must('4.3.2', "what is stored does not answer for a client's other ETag",
    asked({ ...STALE, etag: '"a"' }), { how: 'asked', send: { 'if-none-match': '"b"' }, origin: { status: 304, fields: { etag: '"b"' } }, from: 0, status: 304 }),
  good('4.3.2', 'a client with another ETag gets what a check has confirmed',
    asked({ ...STALE, etag: '"a"' }), { how: 'asked', send: { 'if-none-match': '"b"' }, origin: { status: 304, fields: { ...FRESH, etag: '"a"' } }, from: 1, status: 200 }),
  must('4.3.2', 'with nothing stored a condition that holds is answered with 304, whoever finds it out',
    asked({}, { send: { 'if-none-match': '"a"' }, answer: { status: 304, fields: { ...FRESH, etag: '"a"' } }, from: 0, status: 304 }),
    { how: 'any', status: 200, origin: { fields: { etag: '"a"' } } }),
  good('4.3.2', 'what a condition brings in whole is stored',
    asked({ ...FRESH, etag: '"b"' }, { send: { 'if-none-match': '"a"' } }), unasked()),
];

const head: Case[] = [
  good('9110 9.3.2', 'HEAD from a stored GET', asked({ ...FRESH, etag: '"a"' }, { answer: { body: '0123456789' } }),
    unasked({ method: 'HEAD', has: { 'content-length': '10', etag: '"a"' } })),
  good('4.3.5', 'HEAD makes fresh what it agrees with', asked({ ...STALE, etag: '"a"' }, { answer: { body: '0123456789' } }),
    asked({ ...FRESH, etag: '"a"', 'content-length': '10', 'x-thing': 'new' }, { method: 'HEAD', seen: { method: 'HEAD' }, status: 200, from: 0 }),
    unasked({ from: 1, has: { 'x-thing': 'new' } })),
  good('4.3.5', 'HEAD with another ETag ends the life of what is fresh', asked({ ...FRESH, etag: '"a"' }),
    asked({ ...FRESH, etag: '"b"' }, { method: 'HEAD', send: { 'cache-control': 'no-cache' }, from: 0 }), asked()),
  must('4.3.5', 'HEAD that finds it well gives an error no new life', asked(STALE, { answer: { status: 404 } }),
    asked({ ...FRESH, 'content-length': '26' }, { method: 'HEAD', from: 0 }), asked()),
  must('4.3.5', 'HEAD with another length gives no new life', asked({ ...STALE, etag: 'W/"a"' }, { answer: { body: '0123456789' } }),
    asked({ ...FRESH, etag: 'W/"a"', 'content-length': '11' }, { method: 'HEAD', from: 0 }), asked()),
  must('4.3.5', 'HEAD with another Last-Modified gives no new life', asked({ ...STALE, 'last-modified': LM }),
    asked({ ...FRESH, 'last-modified': '{now-864000}' }, { method: 'HEAD', from: 0 }), asked()),
];

export const validation: Chapter = { title: 'validation', cases: [...ours, ...failing, ...theirs, ...head] };
