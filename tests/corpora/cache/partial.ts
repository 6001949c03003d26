/** Ranges and parts (RFC 9111 §3.3–3.4, RFC 9110 §14). */
import { asked, type Case, type Chapter, checked, type Fields, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };
const WHOLE = { answer: { body: '0123456789' } };
const range = (value: string | readonly string[], more: Fields = {}) => ({ send: { range: value, ...more } });

const whole = (name: string, value: string, from: number, to: number): Case =>
  good('9110 14.2', `${value} of a stored whole: ${name}`, asked({ ...FRESH, etag: '"a"' }, WHOLE),
    unasked({ ...range(value), status: 206, slice: [from, to],
      has: { 'content-range': `bytes ${from}-${to - 1}/10`, 'content-length': `${to - from}`, etag: '"a"' } }));
const ignored = (value: string): Case =>
  must('9110 14.2', `${value} is no range that we know: the whole`, asked({ ...FRESH, etag: '"a"' }, WHOLE),
    { how: 'any', ...range(value), status: 200, origin: WHOLE.answer, body: '0123456789' });

const served: Case[] = [
  whole('the beginning', 'bytes=0-3', 0, 4), whole('one byte', 'bytes=5-5', 5, 6), whole('to the end', 'bytes=6-', 6, 10),
  whole('the last', 'bytes=-3', 7, 10), whole('beyond the end', 'bytes=8-99', 8, 10), whole('more than all', 'bytes=-99', 0, 10),
  whole('the unit in another case', 'Bytes=0-3', 0, 4), whole('all', 'bytes=0-9', 0, 10), whole('an end beyond all numbers', 'bytes=3-99999999999999999999', 3, 10),
  good('9110 15.5.17', 'a range behind the end: 416', asked({ ...FRESH, etag: '"a"' }, WHOLE),
    unasked({ ...range('bytes=10-'), status: 416, from: 0, has: { 'content-range': 'bytes */10' } })),
  good('9110 15.5.17', 'the last nothing: 416', asked({ ...FRESH, etag: '"a"' }, WHOLE),
    unasked({ ...range('bytes=-0'), status: 416, from: 0, has: { 'content-range': 'bytes */10' } })),
  good('9110 15.5.17', 'the first byte of nothing: 416', asked({ ...FRESH, etag: '"a"' }, { answer: { body: '' } }),
    unasked({ ...range('bytes=0-0'), status: 416, from: 0, has: { 'content-range': 'bytes */0' } })),
  must('9110 15.5.17', '416 with a lifetime is not what the whole is',
    asked({}, { ...range('bytes=100-'), answer: { status: 416, body: '', fields: { ...FRESH, 'content-range': 'bytes */10' } } }), asked({}, WHOLE)),
  must('9110 15.5.17', '416 with a lifetime is not what another range is',
    asked({}, { ...range('bytes=100-'), answer: { status: 416, body: '', fields: { ...FRESH, 'content-range': 'bytes */10' } } }),
    asked({}, { ...range('bytes=0-3'), answer: { status: 206, body: '0123', fields: { 'content-range': 'bytes 0-3/10' } } })),
  must('9110 15.5.17', 'after a range that can not be had the whole is still there', asked(FRESH, WHOLE),
    { how: 'any', ...range('bytes=10-'), from: 0, origin: { status: 416, body: '', fields: { ...FRESH, 'content-range': 'bytes */10' } } },
    { how: 'any', status: 200, origin: WHOLE.answer, body: '0123456789' }),
  ...['items=0-3', 'bytes=a-b', 'bytes=5-2', 'bytes 0-3', 'bytes=', 'bytes=--3', 'bytes=0-3-5', 'bytes=+0-3', 'bytes=0x0-3'].map(ignored),
  good('9110 14.2', 'several ranges: parts, or the whole', asked({ ...FRESH, etag: '"a"', 'content-type': 'text/plain' }, WHOLE),
    unasked({ ...range('bytes=0-1, 8-9'), status: [206, 200], body: '/01.*89/' })),
  must('9110 15.3.7.2', 'several parts are told as such', asked({ ...FRESH, etag: '"a"', 'content-type': 'text/plain' }, WHOLE),
    { how: 'any', ...range('bytes=0-1, 8-9'), status: [206, 200], lacks: ['content-range'], origin: WHOLE.answer }),
  good('9110 14.2', 'a range in HEAD means nothing', asked(FRESH, WHOLE), unasked({ method: 'HEAD', ...range('bytes=0-3'), status: 200, has: { 'content-length': '10' } })),
  must('9110 14.2', 'a range means nothing where the answer is 404', asked(FRESH, { answer: { status: 404, body: '0123456789' } }),
    { how: 'any', ...range('bytes=0-3'), status: 404, origin: { status: 404 } }),
  good('9110 13.2.2', 'If-None-Match before Range', asked({ ...FRESH, etag: '"a"' }, WHOLE), unasked({ ...range('bytes=0-3', { 'if-none-match': '"a"' }), status: 304 })),
  good('9110 13.2.2', 'If-None-Match that fails, then Range', asked({ ...FRESH, etag: '"a"' }, WHOLE),
    unasked({ ...range('bytes=0-3', { 'if-none-match': '"b"' }), status: 206, slice: [0, 4] })),
  good('4.3', 'a range of what is stale: checked, then served', asked({ ...FRESH, age: '700', etag: '"a"' }, WHOLE),
    checked(FRESH, { ...range('bytes=0-3'), status: 206, slice: [0, 4], from: 1 })),
  good('5.1', 'a part has an age too', asked({ ...FRESH, age: '30' }, WHOLE), unasked({ ...range('bytes=0-3'), status: 206, slice: [0, 4], age: [30, 33] })),
];

const ifRange = (name: string, stored: Fields, condition: string, part: boolean, kind = good): Case =>
  kind('9110 13.1.5', `If-Range: ${name}`, asked({ ...FRESH, ...stored }, WHOLE),
    part ? unasked({ ...range('bytes=0-3', { 'if-range': condition }), status: 206, slice: [0, 4] })
      : { how: 'any', ...range('bytes=0-3', { 'if-range': condition }), status: 200, body: '0123456789', origin: WHOLE.answer });

const conditions: Case[] = [
  ifRange('the ETag', { etag: '"a"' }, '"a"', true),
  ifRange('another ETag', { etag: '"a"' }, '"b"', false, must),
  ifRange('a weak ETag, even the same', { etag: 'W/"a"' }, 'W/"a"', false, must),
  ifRange('weak where strong is stored', { etag: '"a"' }, 'W/"a"', false, must),
  ifRange('strong where weak is stored', { etag: 'W/"a"' }, '"a"', false, must),
  ifRange('no ETag stored', {}, '"a"', false, must),
  ifRange('the date', { 'last-modified': '{now-9000}' }, '{now-9000}', true),
  ifRange('an earlier date', { 'last-modified': '{now-9000}' }, '{now-9001}', false, must),
  ifRange('a later date', { 'last-modified': '{now-9000}' }, '{now-8000}', false, must),
  ifRange('a date that is as old as the answer and so is weak', { 'last-modified': '{now}', date: '{now}' }, '{now}', false, must),
  ifRange('no date', { 'last-modified': '{now-9000}' }, 'yesterday', false, must),
  good('9110 13.1.5', 'If-Range without Range means nothing', asked({ ...FRESH, etag: '"a"' }, WHOLE), unasked({ send: { 'if-range': '"b"' } })),
];

const part = (from: number, to: number, etag: string | null, more: Fields = {}) => ({
  send: { range: `bytes=${from}-${to - 1}` },
  answer: {
    status: 206,
    body: '0123456789'.slice(from, to),
    fields: { ...FRESH, 'content-range': `bytes ${from}-${to - 1}/10`, ...(etag !== null && { etag }), ...more },
  },
});

const parts: Case[] = [
  must('3.3', 'a part is not the whole', asked({}, part(0, 4, '"a"')), asked({}, WHOLE)),
  must('3.3', 'a part that is said to be all but has no end is not the whole',
    asked({}, part(0, 4, '"a"', { 'content-range': 'bytes 0-3/*' })), asked({}, WHOLE)),
  must('3.4', 'a part does not serve another part', asked({}, part(0, 4, '"a"')), asked({}, part(5, 8, '"a"'))),
  must('3.4', 'a part does not serve what goes beyond it', asked({}, part(0, 4, '"a"')), asked({}, { ...part(2, 8, '"a"'), from: 0, status: [206, 200] })),
  good('3.3', 'a part serves the same part', asked({}, part(0, 4, '"a"')), unasked({ ...range('bytes=0-3'), status: 206, from: 1 })),
  good('3.3', 'a part serves a smaller part', asked({}, part(0, 6, '"a"')),
    unasked({ ...range('bytes=2-4'), status: 206, from: 1, slice: [2, 5], has: { 'content-range': 'bytes 2-4/10' } })),
  good('3.3', 'a part serves HEAD of itself or goes to the origin', asked({}, part(0, 4, '"a"')), { how: 'any', method: 'HEAD', status: 200, from: 0 }),
  good('3.4', 'two parts of one ETag make the whole', asked({}, part(0, 6, '"a"')), asked({}, part(6, 10, '"a"')),
    unasked({ from: 0, status: 200, body: '0123456789', has: { 'content-length': '10' }, lacks: ['content-range'] })),
  good('3.4', 'parts that overlap make the whole', asked({}, part(0, 8, '"a"')), asked({}, part(6, 10, '"a"')), unasked({ from: 0, status: 200, body: '0123456789' })),
  must('3.4', 'parts of different ETags make nothing', asked({}, part(0, 6, '"a"')), asked({}, part(6, 10, '"b"')), asked({}, WHOLE)),
  must('3.4', 'parts of weak ETags make nothing', asked({}, part(0, 6, 'W/"a"')), asked({}, part(6, 10, 'W/"a"')), asked({}, WHOLE)),
  must('3.4', 'parts without a validator make nothing', asked({}, part(0, 6, null)), asked({}, part(6, 10, null)), asked({}, WHOLE)),
  must('3.4', 'a part of another ETag does not change a stored whole', asked({ ...FRESH, etag: '"a"' }, WHOLE),
    { ...asked({}, part(0, 4, '"b"')), how: 'any', from: 0 }, { how: 'any', status: 200, from: 0, body: '0123456789', origin: WHOLE.answer }),
  must('3', 'a part with no-store is not stored', asked({}, part(0, 4, '"a"', { 'cache-control': 'no-store' })), asked({}, part(0, 4, '"a"'))),
  must('4.2', 'a stale part is not served', asked({}, part(0, 4, '"a"', { age: '700' })), asked({}, part(0, 4, '"a"'))),
  good('9110 14.2', 'a whole that answers a range is stored whole', { ...asked({ ...FRESH, etag: '"a"' }, WHOLE), ...range('bytes=0-3'), from: 0, status: [200, 206] },
    unasked({ from: 1 })),
  must('9110 14.6', 'several parts of the origin are passed on and are no whole',
    { ...asked({ ...FRESH, 'content-type': 'multipart/byteranges; boundary=x' }, { answer: { status: 206, body: '--x\r\ncontent-range: bytes 0-1/10\r\n\r\n01\r\n--x--\r\n' } }), ...range('bytes=0-1,5-6') },
    asked({}, WHOLE)),
];

export const partial: Chapter = { title: 'partial', cases: [...served, ...conditions, ...parts] };
