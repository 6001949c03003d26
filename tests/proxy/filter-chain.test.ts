/** What a chain of body filters does to its source and its sink, whatever its filters do and when. */
import { describe, expect, test } from 'vitest';
import { BodyFilter } from '../../src/http/body-filter.ts';
import { Fields } from '../../src/http/fields.ts';
import { type BodySink, type BodySource, UNKNOWN_LENGTH } from '../../src/http/message.ts';
import { type GatewayError, INTERNAL } from '../../src/kit/errors.ts';
import { FilterChain } from '../../src/proxy/filter-chain.ts';

/** Passes parts on when the test says so. */
class Slow extends BodyFilter {
  log: string[] = [];
  #part = '';
  #ended = false;
  #trailers: Fields | null = null;

  data(bytes: Buffer, start: number, end: number): boolean {
    this.#part += bytes.toString('latin1', start, end);
    return false;
  }

  end(trailers: Fields | null): void {
    this.#ended = true;
    this.#trailers = trailers;
  }

  override abort(): void {
    this.log.push('aborted');
  }

  work(): void {
    const bytes = Buffer.from(this.#part.toUpperCase());
    this.#part = '';
    this.next.data(bytes, 0, bytes.length);
    this.previous.resume();
    if (this.#ended) this.next.end(this.#trailers);
  }
}

class Plain extends BodyFilter {
  data(bytes: Buffer, start: number, end: number): boolean {
    return this.next.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.next.end(trailers);
  }
}

class Sink implements BodySink {
  text = '';
  ready = true;

  data(bytes: Buffer, start: number, end: number): boolean {
    this.text += bytes.toString('latin1', start, end);
    return this.ready;
  }

  end(trailers: Fields | null): void {
    this.text += `.${trailers?.lines() ?? ''}`;
  }

  fail(error: GatewayError): void {
    this.text += `!${error.code}`;
  }

  flush(): void {
    this.text += '|';
  }
}

function chained(filters: readonly BodyFilter[], length = UNKNOWN_LENGTH) {
  const seen: string[] = [];
  const source: BodySource = { pause: () => seen.push('pause'), resume: () => seen.push('resume') };
  const owner = { filterFailed: (error: GatewayError) => seen.push(error.code) };
  const chain = new FilterChain(filters, source, owner, length);
  const sink = new Sink();
  chain.leadTo(sink);
  const send = (text: string): boolean => chain.data(Buffer.from(text), 0, text.length);
  return { chain, sink, seen, send };
}

test('parts, flushes, trailers and the end pass all filters in order', () => {
  const { chain, sink, seen, send } = chained([new Plain(), new Plain()]);
  expect(send('ab')).toBe(true);
  chain.flush();
  send('c');
  chain.end(Fields.of([['X-Sum', '1']]));
  expect([sink.text, seen]).toEqual(['ab|c.X-Sum: 1\r\n', []]);
});

test('a slow sink stops the source, and resumes it once', () => {
  const { chain, sink, seen, send } = chained([new Plain(), new Plain()]);
  sink.ready = false;
  expect(send('ab')).toBe(false);
  chain.resume();
  expect(seen).toEqual(['resume']);
});

describe('a source that has ended', () => {
  test('is resumed once if it waited for the filter, and never again', () => {
    const slow = new Slow();
    const { chain, sink, seen, send } = chained([slow]);
    expect(send('ab')).toBe(false);
    chain.end(null);
    slow.work();
    slow.work();
    expect([sink.text, seen]).toEqual(['AB.', ['resume']]);
  });

  test('is resumed if the exchange ends while it waits', () => {
    const slow = new Slow();
    const { chain, sink, seen, send } = chained([slow]);
    send('ab');
    chain.end(null);
    chain.abort();
    slow.work();
    chain.abort();
    expect([sink.text, seen, slow.log]).toEqual(['', ['resume'], ['aborted']]);
  });

  test('is left alone if it did not wait: it may serve another exchange', () => {
    const { chain, sink, seen, send } = chained([new Plain()]);
    send('ab');
    chain.end(null);
    chain.pause();
    chain.resume();
    expect([sink.text, seen]).toEqual(['ab.', []]);
  });
});

test('a source that fails reaches the sink, and is not resumed', () => {
  const slow = new Slow();
  const { chain, sink, seen, send } = chained([slow]);
  send('ab');
  chain.fail(INTERNAL);
  slow.previous.resume();
  expect([sink.text, seen, slow.log]).toEqual([`!${INTERNAL.code}`, [], ['aborted']]);
});

test('an exchange that ends in the middle tells every filter, and nothing passes afterwards', () => {
  const [slow, other] = [new Slow(), new Slow()];
  const { chain, sink, seen, send } = chained([slow, other]);
  send('ab');
  chain.abort();
  slow.work();
  other.work();
  expect(send('c')).toBe(true);
  expect([sink.text, seen, slow.log, other.log]).toEqual(['', [], ['aborted'], ['aborted']]);
});

test('filters that send more or less than the head announced end the exchange', () => {
  const more = chained([new Plain()], 2);
  more.send('abc');
  expect([more.sink.text, more.seen]).toEqual(['', ['policy_failed']]);
  const less = chained([new Plain()], 2);
  less.send('a');
  less.chain.end(null);
  expect([less.sink.text, less.seen]).toEqual(['a', ['policy_failed']]);
});
