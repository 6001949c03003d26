/** Which codec a connection gets, and what each codec does with a connection over a limit. */
import { describe, expect, test } from 'vitest';
import { LITERAL } from '../../src/http/path.ts';
import { problemReply } from '../../src/http/local-reply.ts';
import type { ServerCodec } from '../../src/http/server-codec.ts';
import { SERVER_CODECS, ServerCodecs } from '../../src/http/server-codecs.ts';
import type { ConnectionHome, LeavingConnection, ServerConnection } from '../../src/http/server-connection.ts';
import type { Clock } from '../../src/kit/clock.ts';
import { NOWHERE } from '../../src/kit/places.ts';
import { IGNORE } from '../../src/net/byte-stream.ts';
import { Connection } from '../../src/net/connection.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { HandshakePace, HandshakeQueue } from '../../src/net/tls/handshake-queue.ts';
import type { Transport } from '../../src/net/transport.ts';
import { ListenerMetrics } from '../../src/observe/metrics.ts';
import { TotalConnections } from '../../src/proxy/admission.ts';
import { ConnectionTable } from '../../src/proxy/connection-table.ts';
import { MemoryTransport } from '../conformance/fuzz/memory-transport.ts';
import { exchange } from '../support/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';

const HTTP1 = SERVER_CODECS.default;
const CLOCK: Clock = { now: () => 0, wall: () => 0, after: () => ({ cancel() {} }), every: () => ({ cancel() {} }) };

test('a transport that has negotiated http/1.1, and one that has negotiated nothing, get HTTP/1.1', () => {
  const transport = new MemoryTransport();
  expect(SERVER_CODECS.of(transport)).toBe(HTTP1);
  expect(SERVER_CODECS.of(Object.assign(new MemoryTransport(), { protocol: 'http/1.1' })).name).toBe('HTTP/1.1');
});

test('the codec answers a rejected connection and ends it; the home holds it until the client leaves', () => {
  const leaving: LeavingConnection[] = [];
  const home: ConnectionHome = {
    listener: 'web',
    service: () => null,
    replaced() {},
    closed() {},
    addLeaving: (connection) => void leaving.push(connection),
    deleteLeaving: (connection) => void leaving.splice(leaving.indexOf(connection), 1),
  };
  const transport = new MemoryTransport();
  const environment = { clock: CLOCK, deadlines: new Deadlines(CLOCK), date: () => 'Date: now\r\n' };
  SERVER_CODECS.of(transport).reject(transport, problemReply(503), home, environment);
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
    const read = HTTP1.read(request, new Connection(addresses, 'web', secure), limits, paths);
    expect('x' in read && read.x.scheme).toBe(secure ? 'https' : 'http');
  }
  expect(HTTP1.read({ ...request, target: '/ a' }, exchange().connection, limits, paths)).toEqual({
    status: 400,
    problem: 'syntax',
  });
});

describe('a codec that is known by its preface', () => {
  const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

  /** Keeps what it gets. */
  class Prefaced implements ServerConnection {
    tablePlace = NOWHERE;
    tableNumber = 0;
    readonly idle = true;
    readonly connection = null as never;
    readonly clientAddress: string;
    text = '';
    retired: (boolean | undefined)[] = [];
    home: ConnectionHome;
    readonly #transport: Transport;

    constructor(transport: Transport, connection: Connection, home: ConnectionHome) {
      this.#transport = transport;
      this.clientAddress = connection.clientAddress;
      this.home = home;
      transport.handler = {
        ...IGNORE,
        onBytes: (bytes, start, end) => void (this.text += bytes.toString('latin1', start, end)),
      };
    }

    retire(patient?: boolean): void {
      this.retired.push(patient);
    }

    destroy(): void {
      this.#transport.destroy();
      this.home.closed(this);
    }

    moveTo(home: ConnectionHome): void {
      this.home = home;
    }
  }

  const tableOf = (listener: string): ConnectionTable =>
    new ConnectionTable({
      listener,
      metrics: new ListenerMetrics(),
      total: new TotalConnections(0),
      handshakes: new HandshakeQueue(new HandshakePace(CLOCK), new Deadlines(CLOCK), new ListenerMetrics()),
      service: () => null,
      relays: () => null,
    });

  /** A connection accepted by a registry that knows the test codec. */
  function accepted(transport = new MemoryTransport()) {
    const made: Prefaced[] = [];
    const codec: ServerCodec = {
      ...HTTP1,
      name: 'prefaced',
      alpn: 'prefaced',
      preface: Buffer.from(PREFACE),
      accept: (...[to, connection, home]) => {
        const one = new Prefaced(to, connection, home);
        made.push(one);
        return one;
      },
    };
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const table = tableOf('web');
    const connection = new Connection(transport.addresses(), 'web', transport.secure);
    const environment = { clock, deadlines, date: () => '' };
    const first = new ServerCodecs(HTTP1, codec).accept(transport, connection, table, environment);
    table.add(first);
    const send = (text: string): void => {
      const bytes = Buffer.from(`xx${text}`);
      transport.handler.onBytes(bytes, 2, bytes.length);
    };
    return { clock, connection, deadlines, first, made, send, table, transport };
  }

  test('gets a connection that begins with it, however it arrives, in the place of the one that waited', () => {
    const text = `${PREFACE}and more`;
    for (let at = 0; at < text.length; at++) {
      const { deadlines, first, made, send, table } = accepted();
      expect(table.active).toBe(1);
      if (at > 0) send(text.slice(0, at));
      expect(made.length).toBe(at < PREFACE.length ? 0 : 1);
      send(text.slice(at));
      expect(made.map((one) => one.text)).toEqual([text]);
      expect([first.tablePlace, made[0]!.tablePlace, table.active, table.fromClient('192.0.2.1')]).toEqual([
        NOWHERE,
        0,
        1,
        1,
      ]);
      expect(deadlines.size).toBe(0);
      made[0]!.destroy();
      expect([table.active, table.fromClient('192.0.2.1')]).toEqual([0, 0]);
    }
  });

  test.each([
    ['another first byte', ['GET / HTTP/1.1\r\n\r\n']],
    ['the same first byte', ['POST / HTTP/1.1\r\n\r\n']],
    ['all but its last bytes', [PREFACE.slice(0, -2), 'x\n']],
    ['its beginning in parts', ['P', 'R', 'O', 'PFIND / HTTP/1.1\r\n\r\n']],
  ])('does not get one that begins with %s', (_, parts) => {
    const { deadlines, first, made, send, table, transport } = accepted();
    for (const part of parts) send(part);
    expect(made).toEqual([]);
    expect([first.tablePlace, table.active, deadlines.size]).toEqual([NOWHERE, 1, 1]);
    // The table has no service: HTTP/1.1 has answered all of it.
    expect(transport.text).toMatch(/^HTTP\/1\.1 503 /);
  });

  test('none waits where a protocol was negotiated, what it carries is encrypted, or no codec has a preface', () => {
    const negotiated = accepted(Object.assign(new MemoryTransport(), { protocol: 'prefaced' }));
    expect(negotiated.made).toEqual([negotiated.first]);
    const secure = accepted(Object.assign(new MemoryTransport(), { secure: true }));
    secure.send(PREFACE);
    expect([secure.made, secure.first.tablePlace]).toEqual([[], 0]);
    const plain = new MemoryTransport();
    const environment = { clock: CLOCK, deadlines: new Deadlines(CLOCK), date: () => '' };
    const one = SERVER_CODECS.accept(
      plain,
      new Connection(plain.addresses(), 'web', false),
      tableOf('web'),
      environment,
    );
    expect(one).toBe(plain.handler);
  });

  test('one that ends, breaks or is late while it waits is for the default, and leaves nothing', () => {
    for (const beginning of ['', PREFACE.slice(0, 9)]) {
      for (const end of ['onEnd', 'onClose', 'onDeadline'] as const) {
        const { clock, deadlines, made, send, table, transport } = accepted();
        send(beginning);
        if (end === 'onEnd') transport.handler.onEnd();
        else if (end === 'onClose') transport.handler.onClose('ECONNRESET');
        // The table's service, and so the timeout, is missing: it is due at once.
        for (let passed = 0; passed < 10_000; passed += 100) clock.advance(100);
        expect([made, transport.closed || end === 'onClose', table.active, deadlines.size, clock.waiting]).toEqual([
          [],
          true,
          0,
          0,
          0,
        ]);
        if (end !== 'onClose') expect(transport.text === '').toBe(beginning === '');
      }
    }
  });

  test('one that waits retires: at once, or patiently behind its first request', () => {
    const now = accepted();
    now.first.retire();
    expect([now.made, now.transport.ended, now.first.tablePlace]).toEqual([[], true, NOWHERE]);
    const later = accepted();
    later.first.retire(true);
    expect(later.transport.ended).toBe(false);
    later.send(PREFACE);
    expect(later.made[0]!.retired).toEqual([true]);
  });

  test('one that waits moves to another listener, and so does its successor', () => {
    const { connection, first, made, send, table } = accepted();
    const other = tableOf('other');
    ConnectionTable.move([[table, other]]);
    expect([connection.listener, first.clientAddress]).toEqual(['other', '192.0.2.1']);
    send(PREFACE);
    expect([made[0]!.home === other, table.active, other.active]).toEqual([true, 0, 1]);
    table.destroy();
    other.destroy();
    expect(other.active).toBe(0);
  });
});
