/** What may be stored, and what of it (RFC 9111 §3). */
import { asked, type Case, type Chapter, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };
const OLD = '{now-8640000}';

/** Statuses that RFC 9110 §15.1 calls heuristically cacheable, of those that have content of their own. */
const HEURISTIC = [200, 203, 300, 301, 308, 404, 405, 410, 414, 501];
/** Final statuses that are not: without an explicit lifetime nothing of them may be reused. */
const NOT_HEURISTIC = [201, 202, 302, 303, 307, 400, 401, 403, 409, 422, 429, 500, 502, 503, 504];

const byStatus: Case[] = [
  ...HEURISTIC.map((status) =>
    good('9110 15.1', `${status} with Last-Modified alone is reused by heuristic`,
      asked({ 'last-modified': OLD }, { answer: { status } }), unasked())),
  ...NOT_HEURISTIC.map((status) =>
    must('4.2.2', `${status} with Last-Modified alone is not reused`,
      asked({ 'last-modified': OLD }, { answer: { status } }), asked())),
  ...[...HEURISTIC, 302, 303, 307, 400, 403, 500, 502, 503, 504].map((status) =>
    good('3', `${status} with max-age is reused`, asked(FRESH, { answer: { status } }), unasked())),
  good('3', '204 with max-age is reused', asked(FRESH, { answer: { status: 204, body: '' } }), unasked({ status: 204 })),
];

export const storing: Chapter = {
  title: 'storing',
  cases: [
    ...byStatus,
    good('3', 'a final status that nobody knows, with max-age, is reused', asked(FRESH, { answer: { status: 299 } }), unasked()),
    must('4.2.2', 'a status that nobody knows is not reused by heuristic',
      asked({ 'last-modified': OLD }, { answer: { status: 299 } }), asked()),
    must('5.2.2.3', 'must-understand keeps what is not understood out',
      asked({ 'cache-control': 'max-age=600, must-understand' }, { answer: { status: 299 } }), asked()),
    must('5.2.2.3', 'must-understand with no-store keeps what is not understood out',
      asked({ 'cache-control': 'max-age=600, must-understand, no-store' }, { answer: { status: 599 } }), asked()),
    good('5.2.2.3', 'must-understand overrides no-store where the status is understood',
      asked({ 'cache-control': 'max-age=600, must-understand, no-store' }), unasked()),
    good('5.2.2.3', 'the order of must-understand and no-store means nothing',
      asked({ 'cache-control': ['no-store', 'must-understand, max-age=600'] }), unasked()),
    good('5.2.2.3', 'must-understand alone changes nothing for 404',
      asked({ 'cache-control': 'must-understand, max-age=600' }, { answer: { status: 404 } }), unasked()),
    must('5.2.2.5', 'no-store', asked({ 'cache-control': 'no-store, max-age=600' }), asked()),
    must('5.2.2.5', 'no-store beats public', asked({ 'cache-control': 'public, max-age=600, no-store' }), asked()),
    must('5.2.2.5', 'no-store in a second line', asked({ 'cache-control': ['max-age=600', 'no-store'] }), asked()),
    must('5.2.2.5', 'no-store in any case', asked({ 'cache-control': 'max-age=600, No-StoRe' }), asked()),
    must('5.2.2.5', 'no-store with Expires', asked({ 'cache-control': 'no-store', expires: '{now+600}' }), asked()),
    must('5.2.1.5', 'what answers a request with no-store is not stored', asked(FRESH, { send: { 'cache-control': 'no-store' } }), asked()),
    must('5.2.2.7', 'private', asked({ 'cache-control': 'private, max-age=600' }), asked()),
    must('5.2.2.7', 'private beats s-maxage', asked({ 'cache-control': 'private, s-maxage=600' }), asked()),
    must('5.2.2.7', 'private beats public', asked({ 'cache-control': 'public, private, max-age=600' }), asked()),
    must('5.2.2.7', 'a field named by private is not given to others',
      asked({ 'cache-control': 'max-age=600, private="x-secret"', 'x-secret': 'mine' }, { has: { 'x-secret': 'mine' } }),
      { how: 'any', lacks: ['x-secret'] }),
    must('5.2.2.7', 'fields named by private, in any case, among others',
      asked({ 'cache-control': 'private="X-One, x-two",max-age=600', 'x-one': '1', 'X-Two': '2', 'x-three': '3' }),
      { how: 'any', lacks: ['x-one', 'x-two'] }),
    good('5.2.2.7', 'what private does not name is stored',
      asked({ 'cache-control': 'max-age=600, private="x-secret"', 'x-secret': 'mine', 'x-open': 'yes' }),
      unasked({ has: { 'x-open': 'yes' }, lacks: ['x-secret'] })),
    must('5.2.2.7', 'private with names and private without: the stricter',
      asked({ 'cache-control': 'max-age=600, private="x-secret", private' }), asked()),
    ...['private=', 'private=""', 'private=","', 'private="x-a', 'private = "x-a"'].map((value) =>
      good('5.2.2.7', `${value}, where no names can be made out, is private`, asked({ 'cache-control': `max-age=600, ${value}`, 'x-a': '1' }), asked())),
    must('5.2.2.4', 'a quote that does not end hides nothing that is stricter',
      asked({ 'cache-control': 'max-age=600, no-cache="x-a, no-store', 'x-a': '1' }), { how: 'any', lacks: ['x-a'] }),
    must('5.2.2.4', 'a field named by no-cache without quotes is not given to others unasked',
      asked({ 'cache-control': 'max-age=600, no-cache=x-a', 'x-a': '1' }), { how: 'any', lacks: ['x-a'] }),
    good('5.2.2.4', 'what no-cache does not name serves', asked({ 'cache-control': 'max-age=600, no-cache="x-a , X-B"', 'x-a': '1', 'x-b': '2', 'x-c': '3' }),
      { how: 'any', lacks: ['x-a', 'x-b'], status: 200 }),
    must('3', '304 that nobody asked for is not stored', asked({}, { answer: { status: 304, uncalled: true, fields: FRESH }, from: 0, status: [304, 502] }), asked()),
    good('4', 'what answers HEAD serves HEAD', asked(FRESH, { method: 'HEAD' }), unasked({ method: 'HEAD', status: 200, from: 0 })),
    must('9110 9.3.3', 'POST without Content-Location does not serve GET',
      asked(FRESH, { method: 'POST', content: 'a' }), asked()),
    must('9110 9.3.3', 'POST with the Content-Location of another resource does not serve GET',
      asked({ ...FRESH, 'content-location': 'other' }, { method: 'POST', content: 'a' }), asked()),
    must('9110 9.3.3', 'POST without explicit lifetime does not serve GET',
      asked({ 'last-modified': OLD, 'content-location': '{path}' }, { method: 'POST', content: 'a' }), asked()),
    good('9110 9.3.3', 'POST with explicit lifetime and its own Content-Location serves GET',
      asked({ ...FRESH, 'content-location': '{path}' }, { method: 'POST', content: 'a' }), unasked({ from: 1 })),
    must('9110 9.3.3', 'POST is not answered from the store', asked(FRESH), asked({}, { method: 'POST', content: 'a' })),
    ...['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'SOURCE'].map((method) =>
      must('3', `what answers ${method} does not serve GET`, asked(FRESH, { method }), asked())),
    ...['OPTIONS', 'PUT', 'DELETE', 'SOURCE'].map((method) =>
      must('4', `${method} is not answered from the store`, asked(FRESH), asked({}, { method }))),
    must('4', 'what answers HEAD does not serve GET', asked(FRESH, { method: 'HEAD' }), asked()),
    must('3.3', 'a body cut off by a closed connection is not whole',
      asked({ ...FRESH, 'content-length': '100' }, { answer: { cut: 5 }, from: 0, status: [0, 200, 502] }), asked()),
    must('3.3', 'a chunked body without an end is not whole',
      asked(FRESH, { answer: { chunked: true, cut: 5 }, from: 0, status: [0, 200, 502] }), asked()),
    good('3', 'a chunked answer is stored', asked(FRESH, { answer: { chunked: true } }), unasked()),
    good('3', 'an empty answer is stored', asked(FRESH, { answer: { body: '' } }), unasked()),
    must('3.1', 'fields that nobody knows are stored, lines in their order',
      asked({ ...FRESH, 'x-odd': ['b', 'a', 'b'], 'x-empty': '' }, { has: { 'x-odd': 'b, a, b' } }),
      { how: 'any', status: 200 }),
    good('3.1', 'a hit has all fields',
      asked({ ...FRESH, 'x-odd': ['b', 'a', 'b'], 'x-empty': '', etag: '"x"', 'content-language': 'de' }),
      unasked({ has: { 'x-odd': 'b, a, b', 'x-empty': '', etag: '"x"', 'content-language': 'de', 'cache-control': 'max-age=600' } })),
    must('3.1', 'fields that Connection names are not stored',
      asked({ ...FRESH, connection: 'x-hop', 'x-hop': '1' }), { how: 'any', lacks: ['x-hop'] }),
    must('3.1', 'fields for the next hop are not stored',
      asked({ ...FRESH, 'keep-alive': 'timeout=77', 'proxy-authenticate': 'Basic', 'proxy-authentication-info': 'x="y"' }),
      unasked({ lacks: ['proxy-authenticate', 'proxy-authentication-info'] })),
    good('4.2.3', 'a hit keeps its Date', asked({ ...FRESH, date: '{now-30}' }), unasked({ has: { date: '{now-30}' } })),
    must('9110 6.6.1', 'an answer without Date gets one when it is stored',
      asked({ ...FRESH, date: [] }), unasked({ has: { date: '/GMT$/' } })),
    good('5.3', 'fresh by Expires', asked({ expires: '{now+600}' }), unasked()),
    must('7.3', 'Set-Cookie named by no-cache is not given to others unasked',
      asked({ 'cache-control': 'max-age=600, no-cache="set-cookie"', 'set-cookie': 'a=1' }), { how: 'any', lacks: ['set-cookie'] }),
    must('4', 'a hit that has no body of its own stays as long as it was',
      asked(FRESH, { answer: { body: '0123456789' } }), unasked({ has: { 'content-length': '10' } })),
  ],
};
