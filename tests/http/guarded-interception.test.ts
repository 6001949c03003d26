/** An interception by a module ends in time, sends nothing malformed, and its errors stay its own. */
import { describe, expect, test } from 'vitest';
import { GuardedContext } from '../../src/http/guarded-interception.ts';
import type { Interceptor, ResponseWriter } from '../../src/http/interception.ts';
import type { BodySource } from '../../src/http/message.ts';
import { LocalReply } from '../../src/http/local-reply.ts';
import { CLIENT_GONE } from '../../src/kit/errors.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { exchange } from '../support/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NO_CONTEXT } from '../support/policy.ts';

function bench(holder: Interceptor = { clientGone: () => {} }, method = 'GET') {
  const told: string[] = [];
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let inner: Interceptor | null = null;
  let sent: BodySource | null = null;
  const writer: ResponseWriter = {
    x: exchange({ method }),
    subrequest: () => (told.push('subrequest'), { addStickyCookie: () => {} }),
    answer: (reply) => told.push(`answer ${reply.status} ${reply instanceof LocalReply ? reply.body : ''}`),
    informational: (status) => told.push(`informational ${status}`),
    head: (head, from) => {
      sent = from;
      told.push(`head ${head.status} ${head.length} ${head.fields.lines().trim()}`);
    },
    data: () => (told.push('data'), false),
    flush: () => told.push('flush'),
    end: (trailers) => told.push(`end ${trailers?.lines().trim() ?? '-'}`),
    fail: ({ code }) => told.push(`fail ${code}`),
  };
  const intercept = (one: Interceptor): ResponseWriter => ((inner = one), writer);
  const note = (error: unknown): number => told.push(`noted ${error instanceof Error ? error.message : String(error)}`);
  const context = new GuardedContext({ ...NO_CONTEXT, intercept }, { deadlines, timeout: 30_000, note });
  return { context, told, clock, deadlines, holder, source: () => sent!, leave: () => inner!.clientGone(CLIENT_GONE) };
}

test('an interceptor that does nothing: a 504 in time, and nothing after it', () => {
  const gone: string[] = [];
  const { context, told, clock, deadlines, holder } = bench({ clientGone: ({ code }) => gone.push(code) });
  const writer = context.intercept(holder);
  expect(GuardedContext.problemOf(context, true)).toBe('');
  clock.advance(29_000);
  expect([told, deadlines.size]).toEqual([[], 1]);
  clock.advance(2000);
  const end = ['noted an interceptor has made no progress for 30000 ms', 'fail policy_timeout'];
  expect([told, gone, deadlines.size]).toEqual([end, ['policy_timeout'], 0]);
  writer.answer(new LocalReply(200, [], 'late'));
  writer.fail(CLIENT_GONE);
  writer.flush();
  expect([told, clock.waiting]).toEqual([end, 0]);
});

test.each([
  ['an answer', (writer: ResponseWriter) => writer.answer(new LocalReply(200, [], 'a')), ['answer 200 a']],
  ['a plain answer', (writer: ResponseWriter) => writer.answer({ status: 404, body: 'b' } as never), ['answer 404 b']],
  ['an error', (writer: ResponseWriter) => writer.fail(CLIENT_GONE), ['fail client_gone']],
] as const)('after %s there is no deadline', (_, act, expected) => {
  const { context, told, clock, deadlines, holder } = bench();
  act(context.intercept(holder));
  expect(deadlines.size).toBe(0);
  clock.advance(60_000);
  expect(told).toEqual(expected);
});

const SOURCE = { pause: () => {}, resume: () => {} };
const HEAD = { status: 200, fields: [['a', 'b']] } as never;

test('a response passes in its parts', () => {
  const { context, told, holder } = bench();
  const writer = context.intercept(holder);
  writer.informational(103, '', [['link', '</a>']] as never);
  writer.head(HEAD, SOURCE);
  expect(writer.data(Buffer.from('a'), 0, 1)).toBe(false);
  writer.flush();
  writer.end([['x-sum', '1']] as never);
  expect(writer.data(Buffer.from('a'), 0, 1)).toBe(true);
  expect(told).toEqual(['informational 103', 'head 200 -1 a: b', 'data', 'flush', 'end x-sum: 1']);
});

test('a response that has begun ends in time, except while the client takes nothing', () => {
  const gone: string[] = [];
  const { context, told, clock, deadlines, holder, source } = bench({ clientGone: ({ code }) => gone.push(code) });
  const writer = context.intercept(holder);
  clock.advance(20_000);
  writer.head(HEAD, SOURCE);
  clock.advance(20_000);
  writer.data(Buffer.from('a'), 0, 1);
  clock.advance(90_000);
  expect([told, deadlines.size]).toEqual([['head 200 -1 a: b', 'data'], 1]);
  source().resume();
  clock.advance(29_000);
  expect(gone).toEqual([]);
  clock.advance(2000);
  expect(told.slice(2)).toEqual(['noted an interceptor has made no progress for 30000 ms', 'fail policy_timeout']);
  expect([gone, deadlines.size]).toEqual([['policy_timeout'], 0]);
});

const SIZED = { status: 200, length: 2 } as never;
const mistakes: [string, (writer: ResponseWriter) => void, string][] = [
  ['no head', (w) => w.head(null as never, SOURCE), 'it is no head'],
  ['a head without a status', (w) => w.head({} as never, SOURCE), 'the status is none'],
  ['a head whose length is none', (w) => w.head({ status: 200, length: '2' } as never, SOURCE), 'the length of'],
  ['a head without a source', (w) => w.head(SIZED, {} as never), 'the source has no'],
  ['two heads', (w) => (w.head(SIZED, SOURCE), w.head(SIZED, SOURCE)), 'a response has begun already'],
  ['an answer after a head', (w) => (w.head(SIZED, SOURCE), w.answer(HEAD)), 'a response has begun already'],
  ['no answer', (w) => w.answer(null as never), 'it is no reply'],
  ['data before a head', (w) => w.data(Buffer.from('a'), 0, 1), 'no response has begun'],
  ['an end before a head', (w) => w.end(null), 'no response has begun'],
  ['a text as data', (w) => (w.head(HEAD, SOURCE), w.data('a' as never, 0, 1)), 'an interceptor sends a part'],
  ['more than its length', (w) => (w.head(SIZED, SOURCE), w.data(Buffer.from('abc'), 0, 3)), 'the body is longer'],
  ['less than its length', (w) => (w.head(SIZED, SOURCE), w.end(null)), 'the body is shorter'],
  ['broken trailers', (w) => (w.head(HEAD, SOURCE), w.end([['a', '\n']] as never)), 'is no field'],
  ['a broken interim response', (w) => w.informational(103, '', [['a\n', '']] as never), 'is no field'],
  ['a final response as an interim one', (w) => w.informational(200, '', [] as never), 'the status is none'],
  ['an error that is none', (w) => w.fail(new Error('mine') as never), 'mine'],
];

test.each(mistakes)('%s ends the exchange, and throws nothing', (_, act, problem) => {
  const { context, told, deadlines, holder } = bench();
  const writer = context.intercept(holder);
  act(writer);
  writer.data(Buffer.from('a'), 0, 1);
  writer.end(null);
  const parts = told.filter((line) => !line.startsWith('head'));
  expect(parts).toEqual([expect.stringMatching(`^noted .*${problem}`) as string, 'fail policy_failed']);
  expect(deadlines.size).toBe(0);
});

test('a response to HEAD has no body, whatever the interceptor sends', () => {
  const { context, told, holder } = bench(undefined, 'HEAD');
  const writer = context.intercept(holder);
  writer.head(SIZED, SOURCE);
  expect(writer.data(Buffer.from('ab'), 0, 2)).toBe(true);
  writer.end(null);
  expect(told).toEqual(['head 200 0 ', 'end -']);
});

test.each(['pause', 'resume'] as const)('a source that throws in %s ends the exchange', (name) => {
  const { context, told, holder, source } = bench();
  const fails = (): void => {
    throw new Error('mine');
  };
  context.intercept(holder).head(HEAD, { ...SOURCE, [name]: fails });
  source()[name]();
  expect(told.slice(1)).toEqual(['noted mine', 'fail policy_failed']);
});

test('the limit of bufferBody is a number: any body would be small enough for a text', () => {
  for (const limit of ['5', Number.NaN, undefined, -1])
    expect(() => bench().context.bufferBody(limit as never)).toThrow('is a number of bytes');
});

test('an answer with a malformed field is a 500', () => {
  const { context, told, holder } = bench();
  context.intercept(holder).answer({ status: 200, fields: [['a', 'b\r\nc: d']] } as never);
  expect(told).toEqual(['noted "a: b\\r\\nc: d" is no field', 'fail policy_failed']);
});

describe('a verdict', () => {
  test('of an interception that has not begun is a problem', () => {
    expect(GuardedContext.problemOf(bench().context, true)).toBe('the hook has not called intercept');
  });

  test('other than an interception that has begun is a problem, and ends that', () => {
    const { context, told, deadlines, holder } = bench();
    const writer = context.intercept(holder);
    expect(GuardedContext.problemOf(context, false)).toMatch(/does not return INTERCEPTED/);
    writer.answer(new LocalReply(200, [], 'late'));
    expect([told, deadlines.size]).toEqual([[], 0]);
  });
});

test.each([
  [
    'throws',
    () => {
      throw new Error('mine');
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine')) as never],
])('a holder that %s when its client leaves: the error is noted', async (_, clientGone) => {
  const { context, told, deadlines, holder, leave } = bench({ clientGone });
  context.intercept(holder);
  leave();
  leave();
  await new Promise(setImmediate);
  expect([told, deadlines.size]).toEqual([['noted mine'], 0]);
});
