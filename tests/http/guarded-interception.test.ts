/** An interception by a module ends in time, sends nothing malformed, and its errors stay its own. */
import { describe, expect, test } from 'vitest';
import { GuardedContext } from '../../src/http/guarded-interception.ts';
import type { Interceptor, ResponseWriter } from '../../src/http/interception.ts';
import { LocalReply } from '../../src/http/local-reply.ts';
import { CLIENT_GONE } from '../../src/kit/errors.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { exchange } from '../support/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NO_CONTEXT } from '../support/policy.ts';

function bench(holder: Interceptor = { clientGone: () => {} }) {
  const told: string[] = [];
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  let inner: Interceptor | null = null;
  const writer: ResponseWriter = {
    x: exchange(),
    subrequest: () => (told.push('subrequest'), { addStickyCookie: () => {} }),
    answer: (reply) => told.push(`answer ${reply.status} ${reply instanceof LocalReply ? reply.body : ''}`),
    informational: (status) => told.push(`informational ${status}`),
    head: () => told.push('head'),
    data: () => (told.push('data'), false),
    flush: () => told.push('flush'),
    end: () => told.push('end'),
    fail: ({ code }) => told.push(`fail ${code}`),
  };
  const intercept = (one: Interceptor): ResponseWriter => ((inner = one), writer);
  const note = (error: unknown): number => told.push(`noted ${error instanceof Error ? error.message : String(error)}`);
  const context = new GuardedContext({ ...NO_CONTEXT, intercept }, { deadlines, timeout: 30_000, note });
  return { context, told, clock, deadlines, holder, leave: () => inner!.clientGone(CLIENT_GONE) };
}

test('an interceptor that does nothing: a 504 in time, and nothing after it', () => {
  const gone: string[] = [];
  const { context, told, clock, deadlines, holder } = bench({ clientGone: ({ code }) => gone.push(code) });
  const writer = context.intercept(holder);
  expect(context.problemOf(true)).toBe('');
  clock.advance(29_000);
  expect([told, deadlines.size]).toEqual([[], 1]);
  clock.advance(2000);
  const end = ['noted an interceptor has not begun a response for 30000 ms', 'fail policy_timeout'];
  expect([told, gone, deadlines.size]).toEqual([end, ['policy_timeout'], 0]);
  writer.answer(new LocalReply(200, [], 'late'));
  writer.fail(CLIENT_GONE);
  writer.flush();
  expect([told, clock.waiting]).toEqual([end, 0]);
});

test.each([
  ['an answer', (writer: ResponseWriter) => writer.answer(new LocalReply(200, [], 'a')), ['answer 200 a']],
  ['a plain answer', (writer: ResponseWriter) => writer.answer({ status: 404, body: 'b' } as never), ['answer 404 b']],
  ['a subrequest', (writer: ResponseWriter) => writer.subrequest(exchange(), {} as never), ['subrequest']],
  ['a head', (writer: ResponseWriter) => writer.head({} as never, {} as never), ['head']],
  ['an error', (writer: ResponseWriter) => writer.fail(CLIENT_GONE), ['fail client_gone']],
] as const)('after %s there is no deadline', (_, act, expected) => {
  const { context, told, clock, deadlines, holder } = bench();
  act(context.intercept(holder));
  expect(deadlines.size).toBe(0);
  clock.advance(60_000);
  expect(told).toEqual(expected);
});

test('a response passes in its parts', () => {
  const { context, told, holder } = bench();
  const writer = context.intercept(holder);
  writer.informational(103, '', {} as never);
  writer.head({} as never, {} as never);
  expect(writer.data(Buffer.from('a'), 0, 1)).toBe(false);
  writer.flush();
  writer.end(null);
  expect(writer.data(Buffer.from('a'), 0, 1)).toBe(true);
  expect(told).toEqual(['informational 103', 'head', 'data', 'flush', 'end']);
});

test('an answer with a malformed field is a 500', () => {
  const { context, told, holder } = bench();
  context.intercept(holder).answer({ status: 200, fields: [['a', 'b\r\nc: d']] } as never);
  expect(told).toEqual(['noted "a: b\\r\\nc: d" is no field', 'fail policy_failed']);
});

describe('a verdict', () => {
  test('of an interception that has not begun is a problem', () => {
    expect(bench().context.problemOf(true)).toBe('the hook has not called intercept');
  });

  test('other than an interception that has begun is a problem, and ends that', () => {
    const { context, told, deadlines, holder } = bench();
    const writer = context.intercept(holder);
    expect(context.problemOf(false)).toMatch(/does not return INTERCEPTED/);
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
