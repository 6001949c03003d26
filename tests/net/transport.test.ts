/** The two transports keep the same promises (net/transport.ts). */
import { once } from 'node:events';
import net from 'node:net';
import { createSecureContext } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { type ByteStreamHandler, IGNORE } from '../../src/net/byte-stream.ts';
import { HandleTransport } from '../../src/net/handle-transport.ts';
import { SocketTransport } from '../../src/net/socket-transport.ts';
import { acceptHandles, streamHandles } from '../../src/net/stream-handles.ts';
import type { Transport } from '../../src/net/transport.ts';
import { startTls } from '../../src/net/tls/start-tls.ts';
import { pem } from '../support/certificates.ts';
import { until } from '../support/gateway.ts';
import { RawClient } from '../support/raw-client.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

class Recorder implements ByteStreamHandler {
  text = '';
  bytes = 0;
  drains = 0;
  ends = 0;
  closes: string[] = [];
  /** Called for each read. */
  readonly #heard: (() => void) | undefined;

  constructor(heard?: () => void) {
    this.#heard = heard;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.bytes += end - start;
    if (this.text.length < 1000) this.text += bytes.toString('latin1', start, end);
    this.#heard?.();
  }

  onDrain(): void {
    this.drains++;
  }

  onEnd(): void {
    this.ends++;
  }

  onClose(code: string): void {
    this.closes.push(code);
  }
}

interface Pair extends AsyncDisposable {
  readonly transport: Transport;
  readonly recorder: Recorder;
  readonly peer: RawClient;
}

type Take = (transport: Transport) => void;

function acceptSockets(server: net.Server, take: Take): void {
  server.on('connection', (socket) => take(new SocketTransport(socket, IGNORE)));
}

function acceptByHandle(server: net.Server, take: Take): void {
  acceptHandles(server, (handle) => take(new HandleTransport(handle, IGNORE)));
}

const plain = (port: number): Promise<RawClient> => RawClient.to(port);
const secure = (port: number): Promise<RawClient> => RawClient.secure(port);

/** TLS on top of each accepted connection. */
function secured(accept: (server: net.Server, take: Take) => void): (server: net.Server, take: Take) => void {
  const context = createSecureContext({ cert: pem('site.pem'), key: pem('site.key') });
  const options = {
    context,
    server: true,
    alpn: null,
    serverName: '',
    session: null,
    clientCertificate: 'none' as const,
  };
  const fail = (code: string): void => void expect.fail(code);
  return (server, take) =>
    accept(
      server,
      (transport) => void startTls(transport, null, options, { onSecured: take, onHandshakeFailed: fail }),
    );
}

interface Kind {
  readonly accept: (server: net.Server, take: Take) => void;
  readonly connect: (port: number) => Promise<RawClient>;
}

/** How transports of each kind are made of what a server accepts, and what connects to them. */
const KINDS: readonly (readonly [string, Kind])[] = [
  ['socket', { accept: acceptSockets, connect: plain }],
  ['handle', { accept: acceptByHandle, connect: plain }],
  ['socket with TLS', { accept: secured(acceptSockets), connect: secure }],
  ['handle with TLS', { accept: secured(acceptByHandle), connect: secure }],
];

async function pair({ accept, connect }: Kind): Promise<Pair> {
  const server = net.createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const recorder = new Recorder();
  const accepted = new Promise<Transport>((resolve) =>
    accept(server, (transport) => {
      transport.handler = recorder;
      resolve(transport);
    }),
  );
  const { port } = server.address() as net.AddressInfo;
  const peer = await connect(port);
  const transport = await accepted;
  return {
    transport,
    recorder,
    peer,
    async [Symbol.asyncDispose]() {
      transport.destroy();
      await peer[Symbol.asyncDispose]();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Writes until the kernel takes no more. */
function fill(transport: Transport): number {
  const block = Buffer.alloc(256 * 1024, 'x');
  let sent = block.length;
  while (transport.write('', block, 0, block.length, '')) sent += block.length;
  return sent;
}

test('both kinds are there to be tested', () => {
  expect(streamHandles === null).toBe(process.env['PROZY_TRANSPORT'] === 'socket');
});

describe.each(KINDS.filter(([kind]) => kind.startsWith('socket') || streamHandles !== null))(
  'a %s transport',
  (_, make) => {
    test('carries text and bytes both ways, each character one byte', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.send('h\xe9llo');
      await until(() => recorder.text === 'h\xe9llo', 'the text has come');
      expect(transport.writeText('\xff\x00a')).toBe(!transport.pending);
      const bytes = Buffer.from('..middle..');
      expect(transport.write('<', bytes, 2, 8, '>')).toBe(!transport.pending);
      // TLS takes one write at a time: the next one waits for a moment.
      if (!transport.secure) expect(transport.pending).toBe(false);
      const large = Buffer.alloc(100_000, 'L');
      transport.write('[', large, 0, large.length, ']');
      await until(() => peer.text.length === 3 + 8 + 100_002, 'everything has come');
      expect(peer.text.slice(0, 12)).toBe('\xff\x00a<middle>[');
      expect([transport.bytesRead, transport.bytesWritten]).toEqual([5, 3 + 8 + 100_002]);
    });

    test('says how much of what was written has left, within a write too', async () => {
      await using both = await pair(make);
      const { transport, peer } = both;
      peer.socket.pause();
      const block = Buffer.alloc(64 * 1024 * 1024);
      expect(transport.write('', block, 0, block.length, '')).toBe(false);
      await until(() => transport.bytesSent > 0, 'some of it has left');
      expect(transport.bytesSent).toBeLessThan(block.length);
      const before = transport.bytesSent;
      peer.socket.on('data', () => peer.socket.pause());
      await until(
        () => transport.bytesSent > before,
        'more of it has left',
        async () => void peer.socket.resume(),
      );
      expect(transport.bytesSent).toBeLessThan(block.length);
      expect(transport.pending).toBe(true);
    });

    test('holds the bytes of a pending write itself', async () => {
      await using both = await pair(make);
      const { transport, peer } = both;
      peer.socket.pause();
      // Nothing but the transport refers to them after the call.
      for (let letter = 0; letter < 26; letter++)
        transport.write('', Buffer.alloc(1024 * 1024, 97 + letter), 0, 1024 * 1024, '');
      expect(transport.pending).toBe(true);
      for (let i = 0; i < 20; i++) {
        collectGarbage();
        Buffer.alloc(1024 * 1024, '#');
      }
      peer.socket.resume();
      await until(() => peer.text.length === 26 * 1024 * 1024, 'everything has come');
      const sent = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i).repeat(1024 * 1024)).join('');
      expect(peer.text === sent).toBe(true);
    });

    test('says who speaks with whom', async () => {
      await using both = await pair(make);
      const { remoteAddress, remotePort, localAddress, localPort } = both.transport.addresses();
      const { localPort: theirs, remotePort: ours } = both.peer.socket;
      expect([remoteAddress, remotePort, localAddress, localPort]).toEqual(['127.0.0.1', theirs, '127.0.0.1', ours]);
    });

    test('reads nothing while paused, and goes on when resumed', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.send('a');
      await until(() => recorder.text === 'a', 'the first byte has come');
      transport.pause();
      transport.pause();
      const sent = Buffer.alloc(4 * 1024 * 1024);
      peer.socket.write(sent);
      // The bytes stay with their sender as soon as the kernel's buffers are full.
      await until(() => peer.socket.writableLength > 0, 'the peer is held back');
      expect(recorder.bytes).toBe(1);
      transport.resume();
      await until(() => recorder.bytes === 1 + sent.length, 'the rest has come');
    });

    test('may be paused from within a read', async () => {
      await using both = await pair(make);
      const { transport, peer } = both;
      const recorder = new Recorder(() => transport.pause());
      transport.handler = recorder;
      peer.socket.write(Buffer.alloc(1024 * 1024));
      await until(() => recorder.bytes > 0, 'something has come');
      const first = recorder.bytes;
      await until(() => peer.socket.writableLength === 0 || peer.socket.writableNeedDrain, 'the peer has written');
      expect(recorder.bytes).toBe(first);
      for (let now = first; now < 1024 * 1024; now = recorder.bytes) {
        transport.resume();
        await until(() => recorder.bytes > now, 'more has come');
      }
    });

    test('says false to a write that waits, and tells once everything has left', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.socket.pause();
      const sent = fill(transport);
      expect([transport.pending, recorder.drains]).toEqual([true, 0]);
      expect(transport.writeText('last')).toBe(false);
      peer.socket.resume();
      await until(() => recorder.drains === 1, 'it has drained');
      expect(transport.pending).toBe(false);
      await until(() => peer.text.length === sent + 4, 'all of it has come');
      expect(peer.text.endsWith('last')).toBe(true);
    });

    test('that is ended while writes wait still tells when everything has left', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.socket.pause();
      const sent = fill(transport);
      transport.end();
      expect(transport.pending).toBe(true);
      peer.socket.resume();
      await until(() => recorder.drains === 1, 'it has drained');
      await peer.end();
      expect(peer.text.length).toBe(sent);
      expect([transport.pending, recorder.closes]).toEqual([false, []]);
    });

    test('may end while the peer goes on, and the other way round', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      transport.writeText('bye');
      transport.end();
      await peer.end();
      peer.send('still here');
      await until(() => recorder.text === 'still here', 'it is heard');
      peer.socket.end();
      await until(() => recorder.ends === 1, 'the end is heard');

      await using other = await pair(make);
      other.peer.send('x').socket.end();
      await until(() => other.recorder.ends === 1, 'the end is heard');
      other.transport.writeText('answer');
      await until(() => other.peer.text === 'answer', 'the answer comes');
      expect(other.recorder.closes).toEqual([]);
    });

    test('tells a handler that takes over later that the peer has ended, once', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.socket.end();
      await until(() => recorder.ends === 1, 'the end is heard');
      transport.resume();
      const later = new Recorder();
      transport.handler = later;
      transport.resume();
      await until(() => later.ends === 1, 'the other is told too');
      transport.resume();
      await new Promise((resolve) => setImmediate(resolve));
      expect([recorder.ends, later.ends]).toEqual([1, 1]);
    });

    test('that is paused keeps the end until it is resumed, behind the bytes before it', async () => {
      await using both = await pair(make);
      const { transport, peer } = both;
      transport.pause();
      peer.send('all').socket.end();
      await until(() => peer.socket.writableFinished, 'the peer has sent everything');
      const recorder = new Recorder();
      transport.handler = recorder;
      transport.resume();
      await until(() => recorder.ends === 1, 'the end is heard');
      expect(recorder.text).toBe('all');
    });

    test('says why it broke, once', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      peer.tcp.resetAndDestroy();
      await until(() => recorder.closes.length > 0, 'it is told');
      expect([recorder.closes, transport.closed]).toEqual([['ECONNRESET'], true]);
      expect([transport.writeText('x'), transport.write('', Buffer.from('x'), 0, 1, '')]).toEqual([true, true]);
      transport.pause();
      transport.resume();
      transport.end();
      transport.destroy();
      transport.reset();
      expect(recorder.closes).toEqual(['ECONNRESET']);
    });

    test.each([
      ['destroyed', (transport: Transport) => transport.destroy(), ''],
      ['reset', (transport: Transport) => transport.reset(), 'ECONNRESET'],
    ])('is silent once it is %s', async (__, close, code) => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      close(transport);
      expect(transport.closed).toBe(true);
      peer.socket.on('end', () => peer.socket.end());
      await until(() => peer.closed, 'the peer has noticed');
      expect([peer.error, recorder.closes, recorder.ends]).toEqual([code, [], 0]);
    });

    test('tells of a broken write on a later tick, never from within it', async () => {
      await using both = await pair(make);
      const { transport, recorder, peer } = both;
      transport.pause();
      peer.tcp.resetAndDestroy();
      await until(() => peer.closed, 'the peer is gone');
      let within = 0;
      await until(
        () => recorder.closes.length > 0,
        'it is told',
        async () => {
          const before = recorder.closes.length;
          transport.writeText('x');
          within += recorder.closes.length - before;
          await new Promise((resolve) => setImmediate(resolve));
        },
      );
      expect([within, recorder.closes.length]).toEqual([0, 1]);
      expect(recorder.closes[0]).toMatch(/^(EPIPE|ECONNRESET)$/);
    });
  },
);
