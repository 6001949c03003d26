/** How long it lives: lifetimes, ages, dates and clocks (RFC 9111 §4.2, §5.1–5.3). */
import { asked, type Case, type Chapter, checked, good, must, unasked } from '../../conformance/cache-cases/case.ts';

const cc = (value: string | readonly string[], more: object = {}) => ({ 'cache-control': value, ...more });

const fresh = (rule: string, name: string, fields: Parameters<typeof asked>[0]): Case => good(rule, name, asked(fields), unasked());
const stale = (rule: string, name: string, fields: Parameters<typeof asked>[0]): Case => must(rule, name, asked(fields), asked());

const lifetimes: Case[] = [
  fresh('5.2.2.10', 's-maxage beats a shorter max-age', cc('max-age=10, s-maxage=600', { age: '30' })),
  stale('5.2.2.10', 's-maxage beats a longer max-age', cc('max-age=600, s-maxage=10', { age: '30' })),
  stale('5.2.2.10', 's-maxage beats a longer Expires', cc('s-maxage=10', { age: '30', expires: '{now+600}' })),
  stale('5.2.2.10', 's-maxage=0', cc('s-maxage=0, max-age=600')),
  fresh('5.2.2.1', 'max-age beats a past Expires', cc('max-age=600', { expires: '{now-600}' })),
  fresh('5.2.2.1', 'max-age beats an Expires that is no date', cc('max-age=600', { expires: '0' })),
  stale('5.2.2.1', 'max-age beats a later Expires', cc('max-age=10', { age: '30', expires: '{now+600}' })),
  stale('5.2.2.1', 'max-age=0', cc('max-age=0')),
  stale('4.2', 'at the very end of its lifetime it is stale', cc('max-age=600', { age: '600' })),
  fresh('4.2', 'a little before the end of its lifetime it is fresh', cc('max-age=600', { age: '590' })),
  fresh('5.2', 'names of directives in any case', cc('MAX-AGE=600')),
  fresh('5.2', 'max-age in quotes', cc('max-age="600"')),
  fresh('5.2', 'directives that nobody knows', cc('foo, bar=baz, qux="a, b", max-age=600')),
  fresh('5.2', 'what is in quotes is no directive', cc('ext="no-store, private, max-age=0", max-age=600')),
  fresh('5.2', 'a quote that is escaped ends nothing', cc('ext="a\\", no-store, \\"b", max-age=600')),
  stale('5.2', 'a directive after quotes with an escape at their end', cc('ext="a\\\\", no-store, b="", max-age=600')),
  fresh('9110 5.6.1', 'empty members of the list', cc(', ,max-age=600 ,,')),
  fresh('9110 5.3', 'an empty line, and one that says it', cc(['', 'max-age=600'])),
  fresh('5.2', 'a tab between directives', cc('public,\tmax-age=600')),
  stale('5.2.2.4', 'no-cache needs its check however long it lives', cc('no-cache, max-age=600')),
  stale('4.2.1', 'first max-age=0, then one that lives', cc('max-age=0, max-age=600')),
  stale('4.2.1', 'first max-age=0, then one that lives, in two lines', cc(['max-age=0', 'max-age=600'])),
  stale('4.2.1', 'first s-maxage=0, then one that lives', cc('s-maxage=0, s-maxage=600')),
  stale('5.3', 'first a past Expires, then a later one', { expires: ['{now-600}', '{now+600}'] }),
  good('4.2.1', 'max-age that is no number makes it stale', asked(cc('max-age=abc', { expires: '{now+600}' })), asked()),
  good('4.2.1', 'max-age below zero makes it stale', asked(cc('max-age=-600', { expires: '{now+600}' })), asked()),
  good('4.2.1', 'max-age with a fraction makes it stale', asked(cc('max-age=600.5')), asked()),
  good('4.2.1', 'max-age without a value makes it stale', asked(cc('max-age', { 'last-modified': '{now-8640000}' })), asked()),
  good('4.2.1', 's-maxage that is no number does not let max-age in', asked(cc('s-maxage=abc, max-age=600')), asked()),
];

const overflow: Case[] = [
  ...['2147483647', '2147483648', '4294967296', '4294967297', '9223372036854775808', '99999999999999999999999999'].flatMap((n) => [
    fresh('1.2.2', `max-age=${n}`, cc(`max-age=${n}`, { age: '100000' })),
    fresh('1.2.2', `s-maxage=${n}`, cc(`s-maxage=${n}`)),
    stale('1.2.2', `Age: ${n}`, cc('max-age=600', { age: n })),
  ]),
  must('1.2.2', 'an Age beyond all numbers goes out as 2147483648 at most',
    asked(cc('max-age=600', { age: '99999999999999999999' }), { from: 0 }),
    { how: 'any', send: { 'cache-control': 'max-stale' }, age: [0, 2147483648] }),
  fresh('1.2.2', 'zeros before a number', cc('max-age=000600')),
];

const ages: Case[] = [
  stale('5.1', 'Age counts', cc('max-age=600', { age: '700' })),
  stale('4.2.3', 'a Date long ago counts where there is no Age', cc('max-age=600', { date: '{now-700}' })),
  stale('4.2.3', 'the greater of Date and Age counts: Date', cc('max-age=600', { date: '{now-700}', age: '1' })),
  stale('4.2.3', 'the greater of Date and Age counts: Age', cc('max-age=600', { age: '700' })),
  must('5.1', 'a hit says its age: from Age', asked(cc('max-age=600', { age: '30' })), { how: 'unasked', age: [30, 33] }),
  must('5.1', 'a hit says its age: from Date', asked(cc('max-age=600', { date: '{now-30}' })), unasked({ age: [30, 33] })),
  must('5.1', 'a hit says its age: the greater', asked(cc('max-age=600', { date: '{now-30}', age: '60' })), unasked({ age: [60, 63] })),
  must('5.1', 'a hit says its age: zero', asked(cc('max-age=600')), unasked({ age: [0, 3] })),
  must('4.2.3', 'a Date ahead of us is no age below zero', asked(cc('max-age=600', { date: '{now+3600}' })), unasked({ age: [0, 3] })),
  must('5.1', 'of several Ages the first counts: stale', asked(cc('max-age=600', { age: '700, 0' })), asked()),
  good('5.1', 'of several Ages the first counts: fresh', asked(cc('max-age=600', { age: '0, 700' })), unasked({ age: [0, 3] })),
  good('5.1', 'of several Age lines the first counts', asked(cc('max-age=600', { age: ['7', '700'] })), unasked({ age: [7, 10] })),
  ...['abc', '-700', '700.5', '0x700', ''].map((age) =>
    good('5.1', `Age: ${age} is no age`, asked(cc('max-age=600', { age })), unasked({ age: [0, 3] }))),
  must('4.2.3', 'what has been checked starts anew',
    asked(cc('max-age=600', { age: '700', etag: '"a"' })), checked({}, { age: [0, 3], from: 1 }), unasked({ from: 1, age: [0, 3] })),
  must('4.2.3', 'what has been checked is as old as the check says',
    asked(cc('max-age=600', { age: '700', etag: '"a"' })), checked({ age: '100' }, { from: 1 }), unasked({ from: 1, age: [100, 103] })),
  must('4.2', 'time makes it stale', asked(cc('max-age=600')), unasked({ later: 500, age: [500, 503] }), asked({}, { later: 101 })),
  must('4.2', 'time makes it stale, beginning from its age',
    asked(cc('max-age=600', { age: '300' })), unasked({ later: 290, age: [590, 593] }), asked({}, { later: 11 })),
  must('4.2.3', 'a Date ahead of us does not lengthen its life',
    asked(cc('max-age=600', { date: '{now+3600}' })), unasked({ later: 590 }), asked({}, { later: 11 })),
  must('4.2.3', 'time makes what has been checked stale again', asked(cc('max-age=600', { age: '700', etag: '"a"' })), checked({}, { from: 1 }),
    unasked({ later: 590, from: 1 }), asked({}, { later: 11 })),
  must('5.3', 'time makes it stale by Expires, whatever clock the origin has: ahead',
    asked({ date: '{now+3600}', expires: '{now+4200}' }), unasked({ later: 590 }), asked({}, { later: 11 })),
  must('5.3', 'the lifetime is Expires less Date, whatever clock the origin has: behind',
    asked({ date: '{now-3600}', expires: '{now+300}' }), unasked({ later: 290 }), asked({}, { later: 11 })),
];

const dates: Case[] = [
  ...['', ' rfc850', ' asctime'].flatMap((form) => {
    const said = form === '' ? ' IMF-fixdate' : form;
    return [
      fresh('9110 5.6.7', `Expires as${said}`, { expires: `{now+600${form}}` }),
      stale('9110 5.6.7', `a past Expires as${said}`, { expires: `{now-600${form}}`, 'last-modified': '{now-8640000}' }),
      stale('9110 5.6.7', `Date as${said}`, cc('max-age=600', { date: `{now-700${form}}` })),
      fresh('9110 5.6.7', `Last-Modified as${said}`, { 'last-modified': `{now-8640000${form}}` }),
    ];
  }),
  stale('9110 5.6.7', 'a year of two digits that would be far ahead is past', { expires: 'Sunday, 06-Nov-94 08:49:37 GMT' }),
  stale('5.3', 'Expires at Date', { expires: '{now}', date: '{now}' }),
  stale('5.3', 'Expires within the lifetime of a Date of old', { expires: '{now-300}', date: '{now-900}' }),
  ...['0', '-1', '', 'never', '600', 'Thu, 99 Foo 2099 99:99:99 GMT', '2099-12-31T00:00:00Z'].map((expires) =>
    stale('5.3', `Expires: ${expires} is past`, { expires, 'last-modified': '{now-8640000}' })),
  good('5.3', 'Expires on a day that there is not is past', asked({ expires: 'Tue, 31 Feb 2099 00:00:00 GMT' }), asked()),
  good('4.2', 'Expires where there is no Date counts from when it came', asked({ date: [], expires: '{now+600}' }), unasked()),
  good('4.2', 'a Date that is no date is as good as none', asked(cc('max-age=600', { date: 'today' }), { from: 1 }), unasked()),
];

const heuristics: Case[] = [
  good('4.2.2', 'a tenth of the time since Last-Modified: fresh', asked({ 'last-modified': '{now-10000}' }), unasked({ later: 900 })),
  good('4.2.2', 'a tenth of the time since Last-Modified: stale', asked({ 'last-modified': '{now-10000}' }), asked({}, { later: 1200 })),
  good('4.2.2', 'a tenth of the time from Last-Modified to Date, not to now',
    asked({ 'last-modified': '{now-10000}', date: '{now-5000}' }), asked()),
  must('4.2.2', 'no heuristic where Expires speaks', asked({ 'last-modified': '{now-8640000}', expires: '{now-1}' }), asked()),
  must('4.2.2', 'no heuristic where max-age speaks', asked(cc('max-age=0', { 'last-modified': '{now-8640000}' })), asked()),
  must('4.2.2', 'no heuristic where s-maxage speaks', asked(cc('s-maxage=0', { 'last-modified': '{now-8640000}' })), asked()),
  good('4.2.2', 'a Last-Modified after Date gives no lifetime', asked({ 'last-modified': '{now+8640000}' }), asked()),
  good('4.2.2', 'a Last-Modified that is no date gives no lifetime', asked({ 'last-modified': 'long ago' }), asked()),
  good('4.2.2', 'nothing to go by gives no lifetime', asked({}), asked()),
];

export const freshness: Chapter = { title: 'freshness', cases: [...lifetimes, ...overflow, ...ages, ...dates, ...heuristics] };
