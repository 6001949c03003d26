/** What an unsafe request makes invalid (RFC 9111 §4.4). */
import { asked, type Case, type Chapter, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const FRESH = { 'cache-control': 'max-age=600' };

const byMethod: Case[] = ['PUT', 'POST', 'DELETE', 'PATCH', 'PROPPATCH', 'SOURCE'].flatMap((method) => [
  must('4.4', `${method} makes it invalid`, asked(FRESH), asked({}, { method, content: 'a' }), asked()),
  good('4.4', `${method} that fails with 404 does not`, asked(FRESH), asked({}, { method, content: 'a', answer: { status: 404 } }), unasked({ from: 1 })),
  good('4.4', `${method} that fails with 500 does not`, asked(FRESH), asked({}, { method, content: 'a', answer: { status: 500 } }), unasked({ from: 1 })),
]);

const elsewhere = (name: string, field: string, value: string, hits: boolean): Case =>
  (hits ? must : good)('4.4', `${field}: ${name}`,
    asked(FRESH, { at: '/other?q=1' }), asked({ [field]: value }, { method: 'POST', content: 'a', at: '/here', answer: { status: 201 } }),
    hits ? unasked({ at: '/other?q=1', from: 1 }) : asked({}, { at: '/other?q=1' }));

export const invalidation: Chapter = {
  title: 'invalidation',
  cases: [
    ...byMethod,
    ...[201, 202, 204, 301, 303].map((status) =>
      must('4.4', `POST answered with ${status}`, asked(FRESH), asked({}, { method: 'POST', content: 'a', answer: { status, ...(status === 204 && { body: '' }) } }), asked())),
    ...['OPTIONS', 'HEAD', 'GET'].map((method) =>
      good('4.4', `${method} makes nothing invalid`, asked(FRESH), { how: 'any', method, from: 0 }, unasked({ from: 1 }))),
    must('4.4', 'all variants', asked({ ...FRESH, vary: 'x-a' }, { send: { 'x-a': '1' } }), asked({ ...FRESH, vary: 'x-a' }, { send: { 'x-a': '2' } }),
      asked({}, { method: 'DELETE', send: { 'x-a': '1' } }), asked({}, { send: { 'x-a': '2' } }), asked({}, { send: { 'x-a': '1' } })),
    good('4.4', 'another query is another resource', asked(FRESH, { at: '?a=1' }), asked({}, { method: 'POST', content: 'a', at: '?a=2' }), unasked({ at: '?a=1', from: 1 })),
    good('4.4', 'the path above is another resource', asked(FRESH), asked({}, { method: 'POST', content: 'a', at: '/below' }), unasked({ from: 1 })),
    good('4.4', 'the same path of another host is another resource', asked(FRESH, { host: 'one.example' }),
      asked({}, { method: 'POST', content: 'a', host: 'two.example' }), unasked({ host: 'one.example', from: 1 })),
    good('4.4', 'what answers the unsafe request with a lifetime is no answer to GET', asked(FRESH),
      asked({ ...FRESH }, { method: 'PUT', content: 'a' }), asked(FRESH), unasked({ from: 3 })),
    ...['location', 'content-location'].flatMap((field) => [
      elsewhere('as a path', field, '{path}/other?q=1', false),
      elsewhere('in full, the same host', field, 'http://cache.example{path}/other?q=1', false),
      elsewhere('relative', field, 'other?q=1', false),
      elsewhere('with a fragment', field, '{path}/other?q=1#part', false),
      elsewhere('through dots', field, '{path}/x/../other?q=1', false),
      elsewhere('another host', field, 'http://else.example{path}/other?q=1', true),
      elsewhere('another port', field, 'http://cache.example:8080{path}/other?q=1', true),
      elsewhere('another host without scheme', field, '//else.example{path}/other?q=1', true),
      elsewhere('no URL', field, 'http://[:::', true),
    ]),
    good('4.4', 'Location of an answer that failed', asked(FRESH, { at: '/other' }),
      asked({ location: '{path}/other' }, { method: 'POST', content: 'a', at: '/here', answer: { status: 404 } }), unasked({ at: '/other', from: 1 })),
    good('4.4', 'Location of an answer to GET', asked(FRESH, { at: '/other' }),
      asked({ location: '{path}/other' }, { at: '/here', answer: { status: 302 } }), unasked({ at: '/other', from: 1 })),
  ],
};
