/** The rest of a connection after a 101: bytes from behind the head, and when its connection learns that it has closed. */
import { expect, test } from 'vitest';
import { SwitchedStream } from '../../../src/http/h1/switched-stream.ts';
import type { ByteStreamHandler } from '../../../src/net/byte-stream.ts';
import { MemoryTransport } from '../../conformance/fuzz/memory-transport.ts';

class Recorder implements ByteStreamHandler {
  readonly heard: string[] = [];
  /** Called for each read. */
  onRead: () => void = () => {};

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.heard.push(bytes.toString('latin1', start, end));
    this.onRead();
  }

  onDrain(): void {
    this.heard.push('(drain)');
  }

  onEnd(): void {
    this.heard.push('(end)');
  }

  onClose(code: string): void {
    this.heard.push(`(${code})`);
  }
}

function switched(early: string) {
  const transport = new MemoryTransport();
  const recorder = new Recorder();
  let closed = 0;
  const stream = new SwitchedStream(transport, Buffer.from(early), { switchedClosed: () => closed++ });
  stream.handler = recorder;
  const receive = (text: string): void => transport.handler.onBytes(Buffer.from(text), 0, text.length);
  return { transport, recorder, stream, receive, closed: () => closed };
}

const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

test('bytes from behind the head come at the first resume, before all others, once', () => {
  const { transport, recorder, stream, receive } = switched('early');
  expect([transport.paused, recorder.heard]).toEqual([true, []]);
  stream.resume();
  receive('late');
  stream.pause();
  expect(transport.paused).toBe(true);
  stream.resume();
  expect([transport.paused, recorder.heard]).toEqual([false, ['early', 'late']]);
});

test('a handler that pauses while it takes them gets no more until it resumes', () => {
  const { transport, recorder, stream } = switched('early');
  recorder.onRead = () => stream.pause();
  stream.resume();
  expect([transport.paused, recorder.heard]).toEqual([true, ['early']]);
  stream.resume();
  expect([transport.paused, recorder.heard]).toEqual([false, ['early']]);
});

test('an end that came before the first resume comes behind them, on a later tick', async () => {
  const { transport, recorder, stream } = switched('early');
  transport.handler.onEnd();
  await tick();
  expect(recorder.heard).toEqual([]);
  stream.resume();
  expect(recorder.heard).toEqual(['early']);
  await tick();
  expect(recorder.heard).toEqual(['early', '(end)']);
});

test('no end is told of a stream that its handler has closed meanwhile', async () => {
  const { transport, recorder, stream } = switched('early');
  transport.handler.onEnd();
  recorder.onRead = () => stream.destroy();
  stream.resume();
  await tick();
  expect(recorder.heard).toEqual(['early']);
});

test('the other direction, drains and later ends pass through', () => {
  const { transport, recorder, stream } = switched('');
  stream.resume();
  stream.writeText('a');
  stream.write('<', Buffer.from('.b.'), 1, 2, '>');
  stream.end();
  transport.handler.onDrain();
  transport.handler.onEnd();
  expect([transport.text, transport.ended, recorder.heard]).toEqual(['a<b>', true, ['(drain)', '(end)']]);
});

test.each([
  ['destroyed', (stream: SwitchedStream) => stream.destroy(), []],
  ['reset', (stream: SwitchedStream) => stream.reset(), []],
  ['broken', (_: SwitchedStream, transport: MemoryTransport) => transport.handler.onClose('EPIPE'), ['(EPIPE)']],
])('its connection learns once that it is %s', (_, close, heard) => {
  const { transport, recorder, stream, closed } = switched('');
  stream.resume();
  expect(closed()).toBe(0);
  close(stream, transport);
  expect(closed()).toBe(1);
  stream.reset();
  stream.destroy();
  expect([closed(), recorder.heard]).toEqual([1, heard]);
});
