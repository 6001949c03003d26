/** Errors of a guarded filter end the exchange once, and what it does right passes. */
import { describe, expect, test } from 'vitest';
import { BodyFilter } from '../../src/http/body-filter.ts';
import { Fields } from '../../src/http/fields.ts';
import { GuardedFilter } from '../../src/http/guarded-filter.ts';
import { CLIENT_GONE, POLICY_FAILED } from '../../src/kit/errors.ts';

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

function benchOf(inner: BodyFilter) {
  const told: string[] = [];
  const filter = new GuardedFilter(inner, POLICY_FAILED, (error) => told.push(`noted ${(error as Error).message}`));
  filter.next = {
    data: (bytes, start, end) => (told.push(`data ${bytes.toString('latin1', start, end)}`), false),
    end: (trailers) => told.push(`end ${trailers === null ? '-' : trailers.lines()}`),
    fail: ({ code }) => told.push(`fail ${code}`),
    flush: () => told.push('flush'),
  };
  filter.previous = { pause: () => told.push('pause'), resume: () => told.push('resume') };
  filter.owner = { filterFailed: ({ code }) => told.push(`failed ${code}`) };
  return { filter, told };
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
