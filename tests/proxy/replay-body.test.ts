/** A body that is kept for a further attempt is sent again as it was, or not at all. */
import { expect, test } from 'vitest';
import { type BodySink, UNKNOWN_LENGTH } from '../../src/http/message.ts';
import { ReplayBody, type RequestBody } from '../../src/proxy/replay-body.ts';

/** A request body whose bytes come when the test says so. */
class Source implements RequestBody {
  sink: BodySink | null = null;

  readBody(sink: BodySink): void {
    this.sink = sink;
  }

  pause(): void {}

  resume(): void {}

  come(text: string): void {
    const bytes = Buffer.from(`..${text}`);
    this.sink!.data(bytes, 2, bytes.length);
    // What was handed over was lent.
    bytes.fill(0);
  }
}

class Taker implements BodySink {
  text = '';

  data(bytes: Buffer, start: number, end: number): boolean {
    this.text += bytes.toString('latin1', start, end);
    return true;
  }

  end(): void {
    this.text += '.';
  }

  fail(): void {}

  flush(): void {}
}

function keptAt(limit: number): { source: Source; body: ReplayBody; attempt: () => Taker } {
  const source = new Source();
  const body = new ReplayBody(source, UNKNOWN_LENGTH, limit);
  const attempt = (): Taker => {
    const taker = new Taker();
    body.sendTo(taker);
    return taker;
  };
  return { source, body, attempt };
}

test('what had come and what comes then', () => {
  const { source, body, attempt } = keptAt(10);
  attempt();
  source.come('abc');
  body.detach();
  const second = attempt();
  expect([second.text, body.replayable]).toEqual(['abc', true]);
  source.come('def');
  source.sink!.end(null);
  expect(second.text).toBe('abcdef.');
  body.detach();
  expect(attempt().text).toBe('abcdef.');
});

test('beyond the limit it is not kept', () => {
  const { source, body, attempt } = keptAt(5);
  const first = attempt();
  source.come('abcdef');
  expect([first.text, body.replayable]).toEqual(['abcdef', false]);
});

test('what comes between two attempts, in as many parts as it may be, is lost to none of them', () => {
  const { source, body, attempt } = keptAt(5);
  attempt();
  source.come('abc');
  body.detach();
  source.come('def');
  source.come('ghi');
  const second = attempt();
  expect(second.text).toBe('abcdefghi');
  source.come('jkl');
  expect([second.text, body.replayable]).toEqual(['abcdefghijkl', false]);
});
