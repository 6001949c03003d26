/** Errors of a guarded filter end the exchange once, and what it does right passes. */
import { describe, expect, test } from 'vitest';
import { BodyFilter } from '../../src/http/body-filter.ts';
import { Fields } from '../../src/http/fields.ts';
import { GuardedFilter } from '../../src/http/guarded-filter.ts';
import { CLIENT_GONE } from '../../src/kit/errors.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Where = 'data' | 'end' | 'flush' | 'pause' | 'resume' | 'abort';

class Upper extends BodyFilter {
  readonly throwsIn: readonly Where[];
  aborted = 0;

  constructor(...throwsIn: Where[]) {
    super();
    this.throwsIn = throwsIn;
  }

  #at(where: Where): void {
    if (this.throwsIn.includes(where)) throw new Error(where);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    this.#at('data');
    const text = Buffer.from(bytes.toString('latin1', start, end).toUpperCase());
    return this.next.data(text, 0, text.length);
  }
  end(trailers: Fields | null): void {
    this.#at('end');
    this.next.end(trailers);
  }
  override flush(): void {
    this.#at('flush');
    super.flush();
  }
  override pause(): void {
    this.#at('pause');
    super.pause();
  }
  override resume(): void {
    this.#at('resume');
    super.resume();
  }
  override abort(): void {
    this.aborted++;
    this.#at('abort');
  }
}

function benchOf(inner: BodyFilter, timeout = Number.POSITIVE_INFINITY) {
  const told: string[] = [];
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const note = (error: unknown): number => told.push(`noted ${error instanceof Error ? error.message : String(error)}`);
  const filter = new GuardedFilter(inner, { deadlines, timeout, note });
  filter.next = {
    data: (bytes, start, end) => (told.push(`data ${bytes.toString('latin1', start, end)}`), false),
    end: (trailers) => told.push(`end ${trailers === null ? '-' : trailers.lines()}`),
    fail: ({ code }) => told.push(`fail ${code}`),
    flush: () => told.push('flush'),
  };
  filter.previous = { pause: () => told.push('pause'), resume: () => told.push('resume') };
  filter.owner = { filterFailed: ({ code }) => told.push(`failed ${code}`) };
  return { filter, told, clock, deadlines };
}

const TEXT = Buffer.from('-ab-');

test('passes everything on in both directions', () => {
  const { filter, told } = benchOf(new Upper());
  expect(filter.data(TEXT, 1, 3)).toBe(false);
  filter.flush();
  filter.pause();
  filter.resume();
  filter.end(Fields.of([['a', 'b']]));
  expect(told).toEqual(['data AB', 'flush', 'pause', 'resume', 'end a: b\r\n']);
});

test.each([
  ['as pairs', ({ next }: BodyFilter) => next.end([['x-sum', '1']] as never), 'end x-sum: 1\r\n'],
  ['as an empty list', ({ next }: BodyFilter) => next.end([] as never), 'end -'],
])('a filter adds trailers %s', (_, act, expected) => {
  const inner = new Slow();
  const { filter, told } = benchOf(inner);
  filter.end(null);
  act(inner);
  expect(told).toEqual([expected]);
});

test('a filter edits the trailers that have arrived, and cannot break them', () => {
  class Editor extends Upper {
    override end(trailers: Fields | null): void {
      trailers!.set('b', '2');
      Object.freeze(trailers);
      Object.assign({}, trailers);
      this.next.end(trailers);
      trailers!.set('c', '3');
    }
  }
  const { filter, told } = benchOf(new Editor());
  const trailers = Fields.of([['a', '1']]);
  filter.end(trailers);
  expect([told, Object.isFrozen(trailers), trailers.get('c')]).toEqual([['end a: 1\r\nb: 2\r\n'], false, undefined]);
});

test('a filter that works on after the end reaches no source that has been taken away', () => {
  const inner = new Upper();
  const { filter, told } = benchOf(inner);
  filter.data(TEXT, 1, 3);
  filter.previous = { pause: () => {}, resume: () => {} };
  inner.previous.resume();
  expect(told).toEqual(['data AB']);
});

test('passes a failure on, once, and tells the filter to free what it has', () => {
  const inner = new Upper();
  const { filter, told } = benchOf(inner);
  filter.fail(CLIENT_GONE);
  filter.abort();
  expect([told, inner.aborted]).toEqual([['fail client_gone'], 1]);
});

describe('an error', () => {
  test.each(['data', 'end', 'flush', 'pause', 'resume'] as const)('in %s ends the exchange, once', (where) => {
    const inner = new Upper(where);
    const { filter, told } = benchOf(inner);
    const call = (): unknown =>
      where === 'data' ? filter.data(TEXT, 0, 4) : where === 'end' ? filter.end(null) : filter[where]();
    call();
    call();
    filter.data(TEXT, 0, 4);
    filter.flush();
    filter.end(null);
    filter.pause();
    filter.resume();
    filter.abort();
    expect(told).toEqual([`noted ${where}`, 'failed policy_failed']);
    expect(inner.aborted).toBe(1);
  });

  test('in abort is noted', () => {
    const { filter, told } = benchOf(new Upper('abort'));
    filter.fail(CLIENT_GONE);
    expect(told).toEqual(['noted abort', 'fail client_gone']);
  });
});

describe('what a filter may not do ends the exchange, and nothing of it is passed on', () => {
  const TRAILERS = [['a', 'b\r\nSet-Cookie: c']] as never;
  const FRAMING = [['content-length', '1']] as never;
  const COOKIE = [['Set-Cookie', 'a=b']] as never;
  const cases: [string, (inner: BodyFilter) => unknown, string][] = [
    ['a text in place of bytes', ({ next }) => next.data('abc' as never, 0, 3), 'noted a body filter passes on'],
    ['bytes that are no Buffer', ({ next }) => next.data(new Uint8Array(3) as never, 0, 3), 'noted a body filter'],
    ['more bytes than there are', ({ next }) => next.data(TEXT, 0, 5), 'noted a body filter passes on'],
    ['an end before the start', ({ next }) => next.data(TEXT, 3, 1), 'noted a body filter passes on'],
    ['no numbers', ({ next }) => next.data(TEXT, ...([] as never as [number, number])), 'noted a body filter'],
    ['trailers that begin another field', ({ next }) => next.end(TRAILERS), 'noted "a: b'],
    ['trailers that frame the message', ({ next }) => next.end(FRAMING), 'noted content-length is the'],
    ['other things as trailers', ({ next }) => next.end({ lines: () => 'a' } as never), 'noted the fields are'],
    ['trailers that belong into a head', ({ next }) => next.end(COOKIE), 'noted Set-Cookie is no field for'],
    ['an error as its failure', ({ next }) => next.fail(new Error('mine') as never), 'noted mine'],
    ['an error for the exchange', ({ owner }) => owner.filterFailed(new Error('mine') as never), 'noted mine'],
  ];

  test.each(cases)('%s', (_, act, noted) => {
    const inner = new Upper();
    const { filter, told } = benchOf(inner);
    filter.flush();
    act(inner);
    inner.next.end(null);
    expect(told).toEqual(['flush', expect.stringContaining(noted) as string, 'failed policy_failed']);
    expect(inner.aborted).toBe(1);
  });

  test('an error of the gateway ends it with its own code', () => {
    const inner = new Upper();
    const { filter, told } = benchOf(inner);
    filter.flush();
    inner.next.fail(CLIENT_GONE);
    expect(told).toEqual(['flush', expect.stringContaining('noted') as string, 'failed client_gone']);
  });

  test('a promise that rejects is an error, and leaves no rejection unhandled', async () => {
    class Waits extends Upper {
      override data(): never {
        return Promise.reject(new Error('late')) as never;
      }
      override abort(): never {
        return Promise.reject(new Error('abort')) as never;
      }
    }
    const { filter, told } = benchOf(new Waits());
    expect(filter.data(TEXT, 0, 4)).toBe(true);
    await new Promise(setImmediate);
    expect(told).toEqual(['noted late', 'failed policy_failed', 'noted abort']);
  });
});

/** Keeps each part, and the end, until the test says so. */
class Slow extends BodyFilter {
  aborted = 0;

  data(): boolean {
    return false;
  }
  end(): void {}
  override pause(): void {}
  override resume(): void {}
  override abort(): void {
    this.aborted++;
  }
}

describe('a filter that makes no progress', () => {
  const STALLED = ['noted a body filter has made no progress for 30000 ms', 'failed policy_timeout'];
  const stalling: [string, (filter: GuardedFilter, inner: Slow) => void][] = [
    ['has stopped its source', (filter) => filter.data(TEXT, 0, 4)],
    ['has paused its source', (_, inner) => inner.previous.pause()],
    ['keeps the end', (filter) => filter.end(null)],
    [
      'does not resume its source when its receiver has resumed it',
      (filter) => {
        filter.pause();
        filter.data(TEXT, 0, 4);
        filter.resume();
      },
    ],
  ];

  test.each(stalling)('ends the exchange once: it %s', (_, stall) => {
    const inner = new Slow();
    const { filter, told, clock, deadlines } = benchOf(inner, 30_000);
    filter.flush();
    stall(filter, inner);
    expect([filter.stalled, deadlines.size]).toEqual([true, 1]);
    const before = [...told];
    clock.advance(29_000);
    expect(told).toEqual(before);
    clock.advance(2000);
    expect([told.slice(before.length), filter.stalled, deadlines.size, inner.aborted]).toEqual([STALLED, false, 0, 1]);
    clock.advance(60_000);
    inner.next.data(TEXT, 0, 4);
    inner.next.end(null);
    expect([told.slice(before.length), clock.waiting]).toEqual([STALLED, 0]);
  });

  test('has more time with each part that it takes or gives', () => {
    const inner = new Slow();
    const { filter, told, clock } = benchOf(inner, 30_000);
    filter.next.data = () => true;
    filter.data(TEXT, 0, 4);
    for (let i = 0; i < 5; i++) {
      clock.advance(20_000);
      if (i % 2 === 0) inner.next.data(TEXT, 0, 4);
      else filter.data(TEXT, 0, 4);
    }
    inner.previous.resume();
    expect(filter.stalled).toBe(false);
    clock.advance(100_000);
    filter.end(null);
    clock.advance(20_000);
    inner.next.end(null);
    clock.advance(100_000);
    expect([told, clock.waiting]).toEqual([['resume', 'end -'], 0]);
  });

  test('is not at fault while its receiver has stopped it', () => {
    const inner = new Slow();
    const { filter, told, clock } = benchOf(inner, 30_000);
    filter.data(TEXT, 0, 4);
    // The bench's sink asks for a pause.
    inner.next.data(TEXT, 0, 4);
    expect(filter.stalled).toBe(false);
    clock.advance(100_000);
    filter.resume();
    expect([filter.stalled, told]).toEqual([true, ['data -ab-']]);
  });

  test('may take as long as it likes without a limit', () => {
    const { filter, told, clock, deadlines } = benchOf(new Slow());
    filter.data(TEXT, 0, 4);
    clock.advance(1e6);
    expect([filter.stalled, told, deadlines.size]).toEqual([true, [], 0]);
  });
});

test('a filter may end the body before its source does: it gets no more, and is told when the exchange is over', () => {
  const inner = new Slow();
  const { filter, told } = benchOf(inner, 30_000);
  filter.data(TEXT, 0, 4);
  inner.next.end(null);
  inner.next.end(null);
  expect([filter.data(TEXT, 0, 4), inner.next.data(TEXT, 0, 4), told]).toEqual([true, true, ['end -']]);
  filter.abort();
  filter.abort();
  expect(inner.aborted).toBe(1);
});

test('a filter that has passed the end on is not told that the exchange is over', () => {
  const inner = new Upper();
  const { filter } = benchOf(inner);
  filter.end(null);
  filter.abort();
  expect(inner.aborted).toBe(0);
});
