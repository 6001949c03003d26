import { describe, expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { type BodySink, UNKNOWN_LENGTH } from '../../src/http/message.ts';
import { MemoryBudget } from '../../src/kit/memory-budget.ts';
import { BufferedBody } from '../../src/proxy/buffered-body.ts';

const MIB = 1 << 20;

function bodyOf(memory: MemoryBudget, length: number, limit: number): { body: BufferedBody; told: string[] } {
  const told: string[] = [];
  const body = new BufferedBody(memory, length, limit, (error) => told.push(error === null ? 'whole' : error.code));
  return { body, told };
}

/** Takes parts; it is ready again only where `resume` is called. */
class Sink implements BodySink {
  readonly parts: number[] = [];
  text = '';
  ended: Fields | null | undefined = undefined;
  readonly #ready: boolean;

  constructor(ready = true) {
    this.#ready = ready;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    this.parts.push(end - start);
    this.text += bytes.toString('latin1', start, end);
    return this.#ready;
  }

  end(trailers: Fields | null): void {
    this.ended = trailers;
  }

  fail(): void {}
  flush(): void {}
}

function give(body: BufferedBody, text: string): boolean {
  const bytes = Buffer.from(`<${text}>`);
  const ready = body.data(bytes, 1, bytes.length - 1);
  // The bytes were valid during the call only.
  bytes.fill(0);
  return ready;
}

describe('reading', () => {
  test('ends with the whole body, which can be sent more than once', () => {
    const { body, told } = bodyOf(new MemoryBudget(), 11, MIB);
    expect([give(body, 'hello '), give(body, 'world'), told]).toEqual([true, true, []]);
    const trailers = Fields.of([['x', 'y']]);
    body.end(trailers);
    expect([told, body.size]).toEqual([['whole'], 11]);
    for (let i = 0; i < 2; i++) {
      const sink = new Sink();
      body.readBody(sink);
      expect([sink.text, sink.ended]).toEqual(['hello world', trailers]);
    }
  });

  test.each([UNKNOWN_LENGTH, 300_000])('of length %i: bytes one by one take no more memory than they are', (length) => {
    const memory = new MemoryBudget();
    const { body } = bodyOf(memory, length, MIB);
    const byte = Buffer.from('x');
    for (let i = 0; i < 300_000; i++) body.data(byte, 0, 1);
    expect(memory.used).toBeGreaterThanOrEqual(300_000);
    expect(memory.used).toBeLessThanOrEqual(length === 300_000 ? 300_000 : 300_000 + 65_536);
    body.end(null);
    const sink = new Sink();
    body.readBody(sink);
    expect([sink.text.length, Math.max(...sink.parts)]).toEqual([300_000, 65_536]);
    body.dispose();
    expect(memory.used).toBe(0);
  });

  test('stops at the limit, and frees what it has', () => {
    const memory = new MemoryBudget();
    const { body, told } = bodyOf(memory, UNKNOWN_LENGTH, 10);
    expect([give(body, '0123456789'), told]).toEqual([true, []]);
    expect([give(body, 'x'), told, memory.used]).toEqual([false, ['body_too_large'], 0]);
    // What the same read still holds is nothing any more.
    expect(give(body, 'x')).toBe(false);
    body.end(null);
    expect([told, memory.used]).toEqual([['body_too_large'], 0]);
  });

  test('stops where the memory of the gateway is in use', () => {
    const memory = new MemoryBudget();
    memory.limit = 2000;
    const first = bodyOf(memory, UNKNOWN_LENGTH, MIB);
    const second = bodyOf(memory, 2000, MIB);
    expect([give(first.body, 'x'), memory.used]).toEqual([true, 1024]);
    expect([give(second.body, 'x'), second.told, memory.used]).toEqual([false, ['buffers_full'], 1024]);
    first.body.dispose();
    const third = bodyOf(memory, 200, MIB);
    expect([give(third.body, 'x'), memory.used]).toEqual([true, 200]);
  });

  test('of a body that breaks off tells nothing, and frees what it has', () => {
    const memory = new MemoryBudget();
    const { body, told } = bodyOf(memory, 10, MIB);
    give(body, 'x');
    body.fail();
    body.dispose();
    expect([told, memory.used]).toEqual([[], 0]);
  });
});

describe('sending', () => {
  function whole(size: number): BufferedBody {
    const { body } = bodyOf(new MemoryBudget(), size, MIB);
    const bytes = Buffer.alloc(size, 'x');
    body.data(bytes, 0, size);
    body.end(null);
    return body;
  }

  test('waits for a sink that is slow', () => {
    const body = whole(150_000);
    const slow = new Sink(false);
    body.readBody(slow);
    expect([slow.parts, slow.ended]).toEqual([[65_536], undefined]);
    body.resume();
    expect([slow.parts.length, slow.ended]).toEqual([2, undefined]);
    body.resume();
    expect([slow.text.length, slow.ended]).toEqual([150_000, null]);
    body.resume();
    expect(slow.parts.length).toBe(3);
  });

  test('begins anew for another attempt, even within a call of the last', () => {
    const body = whole(150_000);
    const second = new Sink();
    const first = new Sink();
    first.data = () => {
      body.readBody(second);
      return true;
    };
    body.readBody(first);
    expect([first.ended, second.text.length, second.ended]).toEqual([undefined, 150_000, null]);
  });

  test('pauses', () => {
    const body = whole(150_000);
    const sink = new Sink();
    const data = sink.data.bind(sink);
    sink.data = (...part) => {
      body.pause();
      return data(...part);
    };
    body.readBody(sink);
    expect(sink.parts).toEqual([65_536]);
  });
});
