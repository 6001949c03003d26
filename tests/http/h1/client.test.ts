/** What an upstream connection does where its peer is faster or slower than the suite's (tests/http/exchanges). */
import { expect, test } from 'vitest';
import { Http1ClientConnection } from '../../../src/http/h1/client.ts';
import type { ResponseSink } from '../../../src/http/message.ts';
import { OutgoingHead } from '../../../src/http/outgoing-head.ts';
import { Deadlines } from '../../../src/net/deadlines.ts';
import { MemoryTransport } from '../../conformance/fuzz/memory-transport.ts';
import { exchange } from '../../support/exchange.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { STRICT } from '../../support/strict-rules.ts';

test('a response that overtakes the end of its request ends the connection, and the request goes on being read', () => {
  const transport = new MemoryTransport(() => {});
  const owner = { rooms: 0, gone: 0 };
  const connection = new Http1ClientConnection(
    transport,
    { onRoom: () => void owner.rooms++, onFull: () => {}, onGone: () => void owner.gone++ },
    new Deadlines(new ManualClock()),
    STRICT,
  );
  let resumed = 0;
  const source = { pause() {}, resume: () => void resumed++ };
  const heard: string[] = [];
  const sink: ResponseSink = {
    informational() {},
    head: ({ status }) => void heard.push(String(status)),
    data: () => true,
    end: () => void heard.push('end'),
    fail: ({ code }) => void heard.push(code),
    flush() {},
    switched() {},
  };
  const x = exchange({ method: 'POST' });
  x.bodyLength = 5;
  connection.open().start(OutgoingHead.of(x, ''), null, source, { firstByte: 1e3, idle: 1e3, stream: 1e3 }, sink);
  transport.drain();
  // The kernel takes the last part only later.
  const pending = connection.data(Buffer.from('12345'), 0, 5);
  connection.end(null);
  const response = Buffer.from('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n');
  resumed = 0;
  connection.onBytes(response, 0, response.length);
  expect([pending, heard]).toEqual([false, ['413', 'end']]);
  expect([owner, transport.closed, connection.room, resumed]).toEqual([{ rooms: 0, gone: 1 }, true, 0, 1]);
});
