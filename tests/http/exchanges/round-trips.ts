/** Exchanges that go well, as data: what is asked, and what is answered. */
import type { Pairs } from './bodies.ts';
import type { AnswerSpec, RequestSpec } from './meeting.ts';

export interface RoundTrip {
  readonly name: string;
  readonly request: RequestSpec;
  readonly answer: AnswerSpec;
}

const KEPT: Pairs = [
  ['X-Order', '1'],
  ['x-order', '2'],
  ['X-Between', 'a, b,,c'],
  ['X-ORDER', '3'],
  ['X-Empty', ''],
  ['X-Obs', 'caf\xe9 \x80\xff'],
  ['X-Tab', 'a\tb'],
  ['X-Quoted', '"a\\"b"'],
  ['X-Punctuation', "!#$%&'*+-.^_`|~()<>@,;:\\/[]?={}"],
  ["x!#$%&'*+-.^`|~9", 'any token'],
  ['X-Long', 'v'.repeat(3000)],
  ['Cookie', 'a=b; c=d'],
  ['Set-Cookie', 'a=b'],
  ['set-cookie', 'c=d'],
];

const TRAILERS: Pairs = [
  ['X-Checksum', 'abc'],
  ['X-Checksum', 'caf\xe9'],
  ['X-Last', ''],
];
const TE = [['TE', 'trailers']] as const;
const many = (count: number): Pairs => Array.from({ length: count }, (_, i) => [`X-F${i}`, `${i}`] as const);

export const ROUND_TRIPS: readonly RoundTrip[] = [
  { name: 'no content either way', request: { path: '/a', query: '?b=c' }, answer: {} },
  {
    name: 'a request of known length, and a response of known length',
    request: { method: 'POST', body: { size: 1234, known: true } },
    answer: { body: { size: 4321, known: true } },
  },
  {
    name: 'a request of unknown length, and a response of unknown length',
    request: { method: 'PUT', body: { size: 1234, known: false } },
    answer: { status: 201, body: { size: 4321, known: false } },
  },
  {
    name: 'content of unknown length that turns out to be empty',
    request: { method: 'POST', body: { size: 0, known: false } },
    answer: { body: { size: 0, known: false } },
  },
  {
    name: 'content of one byte',
    request: { method: 'PATCH', body: { size: 1, known: true } },
    answer: { body: { size: 1, known: false } },
  },
  {
    name: 'trailers both ways',
    request: { method: 'POST', fields: TE, body: { size: 900, known: false, trailers: TRAILERS } },
    answer: { body: { size: 900, known: false, trailers: TRAILERS } },
  },
  {
    name: 'trailers behind no content',
    request: { method: 'POST', fields: TE, body: { size: 0, known: false, trailers: TRAILERS } },
    answer: { body: { size: 0, known: false, trailers: TRAILERS } },
  },
  {
    name: 'trailers that there is no place for behind a known length',
    request: { method: 'POST', fields: TE, body: { size: 10, known: true, trailers: TRAILERS } },
    answer: { body: { size: 10, known: true, trailers: TRAILERS } },
  },
  {
    name: 'early hints before the final response, several times',
    request: { path: '/page' },
    answer: {
      informational: [
        [103, [['Link', '</a.css>; rel=preload']]],
        [103, [['Link', '</b.css>; rel=preload']]],
        [102, []],
      ],
      body: { size: 10, known: true },
    },
  },
  {
    name: 'a body that waits for its 100',
    request: { method: 'POST', expects: true, body: { size: 5000, known: true } },
    answer: { informational: [[100, []]], body: { size: 20, known: true } },
  },
  {
    name: 'a body of unknown length that waits for its 100, with hints behind it',
    request: { method: 'POST', expects: true, body: { size: 5000, known: false } },
    answer: {
      informational: [
        [100, []],
        [103, [['Link', '</a.css>']]],
      ],
      body: { size: 20, known: false },
    },
  },
  {
    name: 'HEAD, which tells the length that a GET would have',
    request: { method: 'HEAD' },
    answer: { fields: [['Content-Length', '5000']] },
  },
  { name: 'HEAD without a length', request: { method: 'HEAD' }, answer: { fields: [['X-A', 'b']] } },
  { name: 'a 204', request: { method: 'DELETE' }, answer: { status: 204, fields: [['X-A', 'b']] } },
  {
    name: 'a 304 with the length of what it stands for',
    request: { fields: [['If-None-Match', '"a"']] },
    answer: {
      status: 304,
      fields: [
        ['ETag', '"a"'],
        ['Content-Length', '5000'],
      ],
    },
  },
  { name: 'a 205, which has no content', request: { method: 'POST' }, answer: { status: 205 } },
  { name: 'an error with content', request: {}, answer: { status: 599, body: { size: 30, known: true } } },
  { name: 'fields kept as they are', request: { fields: KEPT }, answer: { fields: KEPT } },
  { name: 'many fields', request: { fields: many(70) }, answer: { fields: many(200) } },
  {
    name: 'a target with reserved characters',
    request: { path: "/a%20b/c;d=e/(f)!$&'*+,=:@/%C3%A9", query: '?x=%26&y=/?z&&' },
    answer: {},
  },
  { name: 'an authority with a port', request: { authority: 'a.example:8080' }, answer: {} },
  { name: 'an address as authority', request: { authority: '[2001:db8::1]:8443' }, answer: {} },
  { name: 'OPTIONS about the whole server', request: { method: 'OPTIONS', path: '*' }, answer: { status: 204 } },
  { name: 'a method that is not registered', request: { method: 'M-SEARCH' }, answer: {} },
  {
    name: 'large content both ways',
    request: { method: 'POST', body: { size: 300_000, known: true } },
    answer: { body: { size: 400_000, known: true } },
  },
  {
    name: 'large content of unknown length both ways',
    request: { method: 'POST', body: { size: 300_000, known: false } },
    answer: { body: { size: 400_000, known: false, trailers: TRAILERS } },
  },
];
