/** Which codec a connection gets, and what each codec does with a connection over a limit. */
import { expect, test } from 'vitest';
import { LITERAL } from '../../src/http/path.ts';
import { problemReply } from '../../src/http/local-reply.ts';
import { codecOf, DEFAULT_CODEC } from '../../src/http/server-codecs.ts';
import type { ConnectionHome, LeavingConnection } from '../../src/http/server-connection.ts';
import type { Clock } from '../../src/kit/clock.ts';
import { NOWHERE } from '../../src/kit/places.ts';
import { Connection } from '../../src/net/connection.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { MemoryTransport } from '../conformance/fuzz/memory-transport.ts';
import { exchange } from '../support/exchange.ts';

const CLOCK: Clock = { now: () => 0, wall: () => 0, after: () => ({ cancel() {} }), every: () => ({ cancel() {} }) };

test('a transport that has negotiated http/1.1, and one that has negotiated nothing, get HTTP/1.1', () => {
  const transport = new MemoryTransport();
  expect(codecOf(transport)).toBe(DEFAULT_CODEC);
  expect(codecOf(Object.assign(new MemoryTransport(), { protocol: 'http/1.1' })).name).toBe('HTTP/1.1');
});

test('the codec answers a rejected connection and ends it; the home holds it until the client leaves', () => {
  const leaving: LeavingConnection[] = [];
  const home: ConnectionHome = {
    listener: 'web',
    service: () => null,
    closed() {},
    addLeaving: (connection) => void leaving.push(connection),
    deleteLeaving: (connection) => void leaving.splice(leaving.indexOf(connection), 1),
  };
  const transport = new MemoryTransport();
  const environment = { clock: CLOCK, deadlines: new Deadlines(CLOCK), date: () => 'Date: now\r\n' };
  codecOf(transport).reject(transport, problemReply(503), home, environment);
  expect(transport.text).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[^]*Date: now\r\nConnection: close\r\n\r\n\{/);
  expect([transport.ended, transport.closed, leaving.length]).toEqual([true, false, 1]);
  expect(leaving[0]!.tablePlace).toBe(NOWHERE);
  transport.handler.onEnd();
  expect([transport.closed, leaving.length]).toEqual([true, 0]);
});

test('the scheme of an exchange is that of its connection', () => {
  const addresses = { remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '192.0.2.9', localPort: 443 };
  const limits = { headerSize: 1024, headerCount: 10, uriSize: 100, bodySize: 0 };
  const request = { method: 'GET', target: '/', fields: [['Host', 'a.example']] as const };
  const paths = LITERAL;
  for (const secure of [true, false]) {
    const read = DEFAULT_CODEC.read(request, new Connection(addresses, 'web', secure), limits, paths);
    expect('x' in read && read.x.scheme).toBe(secure ? 'https' : 'http');
  }
  expect(DEFAULT_CODEC.read({ ...request, target: '/ a' }, exchange().connection, limits, paths)).toEqual({
    status: 400,
    problem: 'syntax',
  });
});
