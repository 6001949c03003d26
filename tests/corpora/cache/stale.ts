/** Serving what is stale (RFC 9111 §4.2.4, RFC 5861). */
import { asked, type Case, type Chapter, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const swr = (more = '', age = '700') => ({ 'cache-control': `max-age=600, stale-while-revalidate=300${more}`, age });
const sie = (more = '', age = '700') => ({ 'cache-control': `max-age=600, stale-if-error=300${more}`, age });
const FRESH = { 'cache-control': 'max-age=600' };

const revalidating: Case[] = [
  good('5861 3', 'within the window: at once, and renewed behind',
    asked(swr()), { how: 'behind', from: 1, origin: { fields: FRESH }, age: [700, 703] }, unasked({ from: 2 })),
  good('5861 3', 'within the window: checked behind', asked({ ...swr(), etag: '"a"' }),
    { how: 'behind', from: 1, origin: { status: 304, fields: FRESH }, seen: { has: { 'if-none-match': '"a"' } } }, unasked({ from: 1, age: [0, 3] })),
  good('5861 3', 'an error behind changes nothing', asked(swr()),
    { how: 'behind', from: 1, origin: { status: 503 } }, { how: 'behind', from: 1, origin: { fields: FRESH } }),
  good('5861 3', 'a connection that ends behind changes nothing', asked(swr()),
    { how: 'behind', from: 1, origin: { gone: true } }, { how: 'behind', from: 1, origin: { fields: FRESH } }),
  good('5861 3', 'what is renewed behind as private leaves nothing', asked(swr()),
    { how: 'any', origin: { fields: { 'cache-control': 'private, max-age=600' } } }, { how: 'any' }, asked()),
  must('4.3.4', 'a check behind that forbids to store it leaves nothing', asked({ ...swr(), etag: '"a"' }),
    { how: 'behind', from: 1, origin: { status: 304, fields: { 'cache-control': 'no-store' } } }, asked()),
  must('4.3.4', 'a check behind that makes it private leaves nothing', asked({ ...swr(), etag: '"a"' }),
    { how: 'behind', from: 1, origin: { status: 304, fields: { 'cache-control': 'private, max-age=600' } } }, asked()),
  good('5861 3', 'what is asked behind is asked as the client asked', asked({ ...swr(), vary: 'x-a' }, { send: { 'x-a': '1' } }),
    { how: 'behind', send: { 'x-a': '1', 'x-b': '2' }, from: 1, origin: { fields: { ...FRESH, vary: 'x-a' } }, seen: { has: { 'x-a': '1' } } },
    unasked({ send: { 'x-a': '1' }, from: 2 }), ),
  must('5861 3', 'beyond the window', asked(swr('', '1000')), asked()),
  must('5861 3', 'at the end of the window', asked(swr('', '900')), asked()),
  must('5.2.2.2', 'not with must-revalidate', asked(swr(', must-revalidate')), asked()),
  must('5.2.2.8', 'not with proxy-revalidate', asked(swr(', proxy-revalidate')), asked()),
  must('5.2.2.4', 'not with no-cache', asked(swr(', no-cache')), asked()),
  must('5.2.1.4', 'not where the client says no-cache', asked(swr()), asked({}, { send: { 'cache-control': 'no-cache' } })),
  must('5861 3', 'a window that is no number is none', asked({ 'cache-control': 'max-age=600, stale-while-revalidate=abc', age: '700' }), asked()),
  good('5861 3', 'with max-age=0', asked({ 'cache-control': 'max-age=0, stale-while-revalidate=300' }), { how: 'behind', from: 1, origin: { fields: FRESH } }),
];

const failing: Case[] = [
  ...[500, 502, 503, 504].map((status) =>
    good('5861 4', `${status} within the window`, asked(sie()), asked({}, { answer: { status }, from: 1, status: 200, age: [700, 703] }))),
  good('5861 4', 'a connection that ends without an answer', asked(sie()), asked({}, { answer: { gone: true }, from: 1, status: 200 })),
  good('5861 4', 'what the request allows', asked({ 'cache-control': 'max-age=600', age: '700' }),
    asked({}, { send: { 'cache-control': 'stale-if-error=300' }, answer: { status: 503 }, from: 1, status: 200 })),
  good('5861 4', 'again and again', asked(sie()), asked({}, { answer: { status: 503 }, from: 1, status: 200 }),
    asked({}, { answer: { status: 503 }, from: 1, status: 200 })),
  good('5861 4', 'until the origin is well', asked(sie()), asked({}, { answer: { status: 503 }, from: 1, status: 200 }), asked(FRESH), unasked()),
  must('5861 4', 'beyond the window the error goes to the client', asked(sie('', '1000')), asked({}, { answer: { status: 503 } })),
  must('5861 4', '404 is no error', asked(sie()), asked({}, { answer: { status: 404 } })),
  must('5861 4', '501 is no error', asked(sie()), asked({}, { answer: { status: 501 } })),
  must('5.2.2.2', 'not with must-revalidate', asked(sie(', must-revalidate')), asked({}, { answer: { status: 503 } })),
  must('5.2.2.8', 'not with proxy-revalidate', asked(sie(', proxy-revalidate')), asked({}, { answer: { status: 503 } })),
  must('5.2.2.4', 'not with no-cache', asked(sie(', no-cache')), asked({}, { answer: { status: 503 } })),
  must('5.2.1.4', 'not where the client says no-cache and the origin is well', asked(sie()), asked({}, { send: { 'cache-control': 'no-cache' } })),
  good('5861 4', 'an error does not take the place of what may be served stale',
    asked(sie()), asked({}, { answer: { status: 503, fields: FRESH }, from: 0, status: [200, 503] }), asked({}, { answer: { status: 200 } })),
];

export const staleWhileRevalidate: Chapter = {
  title: 'stale-while-revalidate',
  cases: [
    must('4.2.4', 'nothing stale without a word that allows it', asked({ 'cache-control': 'max-age=600', age: '700' }), asked()),
    must('5.5', 'no Warning is made up', asked(swr()), { how: 'any', lacks: ['warning'] }),
    ...revalidating,
  ],
};

export const staleIfError: Chapter = { title: 'stale-if-error', cases: failing };
