/** A tunnel joins any two byte streams in the same way, whatever carries them. */
import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { SwitchedStream } from '../../src/http/h1/switched-stream.ts';
import { type ByteStream, type ByteStreamHandler, IGNORE } from '../../src/net/byte-stream.ts';
import { Deadlines } from '../../src/net/deadlines.ts';
import { HandleTransport } from '../../src/net/handle-transport.ts';
import { SocketTransport } from '../../src/net/socket-transport.ts';
import { streamHandles, takeHandle } from '../../src/net/stream-handles.ts';
import { Tunnel } from '../../src/net/tunnel.ts';
import { until } from '../support/gateway.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryStream } from '../support/memory-stream.ts';

const WINDOW = 64 * 1024;
/** More than the kernel holds for two connections. */
const MUCH = 64 * 1024 * 1024;
const IDLE = 8000;

/** The peer at the far end of one of the tunnel's streams. */
class Peer implements ByteStreamHandler {
  readonly stream: ByteStream;
  text = '';
  bytes = 0;
  /** Each byte was the one that belongs at its place in `pattern`. */
  inOrder = true;
  ended = false;
  closed = '';

  constructor(stream: ByteStream) {
    this.stream = stream;
    stream.handler = this;
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    if (this.bytes < 1000) this.text += bytes.toString('latin1', start, end);
    this.inOrder &&= bytes.subarray(start, end).equals(pattern(this.bytes, this.bytes + end - start));
    this.bytes += end - start;
  }

  onDrain(): void {}

  onEnd(): void {
    this.ended = true;
  }

  onClose(code: string): void {
    this.closed = code;
  }
}

const PERIOD = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const PATTERN = Buffer.alloc(1024 * 1024, PERIOD);

/** Bytes whose place can be told from their value. */
function pattern(start: number, end: number): Buffer {
  const from = start % PERIOD.length;
  const size = end - start;
  return from + size <= PATTERN.length
    ? PATTERN.subarray(from, from + size)
    : Buffer.alloc(size, PATTERN.subarray(from, from + PERIOD.length));
}

interface Line extends AsyncDisposable {
  readonly near: ByteStream;
  readonly far: ByteStream;
}

const disposable = (near: ByteStream, far: ByteStream, close: () => Promise<void>): Line => ({
  near,
  far,
  [Symbol.asyncDispose]: close,
});

/** `near`: makes one end of a TCP connection a byte stream. */
function tcpLine(makeNear: (socket: net.Socket) => ByteStream): () => Promise<Line> {
  return async () => {
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const accepted = once(server, 'connection') as Promise<[net.Socket]>;
    const socket = net.connect({ port: (server.address() as net.AddressInfo).port, allowHalfOpen: true });
    const near = await new Promise<ByteStream>((resolve) => socket.once('connect', () => resolve(makeNear(socket))));
    near.pause();
    const [peer] = await accepted;
    const far = new SocketTransport(peer, IGNORE);
    return disposable(near, far, async () => {
      near.destroy();
      far.destroy();
      server.close();
      await once(server, 'close');
    });
  };
}

const handle = (socket: net.Socket): HandleTransport => new HandleTransport(takeHandle(socket)!, IGNORE);

async function memoryLine(window = WINDOW): Promise<Line> {
  const [near, far] = MemoryStream.pair(window);
  return disposable(near, far, async () => {});
}

const LINES: Readonly<Record<string, () => Promise<Line>>> = {
  'in memory': () => memoryLine(),
  socket: tcpLine((socket) => new SocketTransport(socket, IGNORE)),
  handle: tcpLine(handle),
  switched: tcpLine((socket) => new SwitchedStream(handle(socket), Buffer.alloc(0), { switchedClosed() {} })),
};

class Joined implements AsyncDisposable {
  readonly client: Peer;
  readonly upstream: Peer;
  readonly tunnel: Tunnel;
  readonly clock = new ManualClock();
  readonly deadlines = new Deadlines(this.clock);
  /** The codes with which the tunnel has closed. */
  readonly codes: string[] = [];
  readonly #lines: readonly Line[];

  constructor(client: Line, upstream: Line, idle: number) {
    this.#lines = [client, upstream];
    this.client = new Peer(client.far);
    this.upstream = new Peer(upstream.far);
    this.tunnel = new Tunnel(client.near, upstream.near, this.deadlines, idle, {
      onTunnelClosed: (code) => this.codes.push(code),
    });
  }

  get peers(): readonly Peer[] {
    return [this.client, this.upstream];
  }

  start(): this {
    for (const { stream } of this.peers) stream.resume();
    this.tunnel.start();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await until(() => this.codes.length > 0, 'the tunnel is closed');
    expect([this.codes.length, this.deadlines.size, this.clock.waiting]).toEqual([1, 0, 0]);
    for (const line of this.#lines) await line[Symbol.asyncDispose]();
  }
}

async function joined(client: string, upstream: string, idle = Number.POSITIVE_INFINITY): Promise<Joined> {
  return new Joined(await LINES[client]!(), await LINES[upstream]!(), idle);
}

const PAIRS = [
  ['in memory', 'in memory'],
  ['socket', 'socket'],
  ['handle', 'handle'],
  ['switched', 'switched'],
  ['in memory', 'handle'],
  ['switched', 'in memory'],
] as const;

const possible = ([one, other]: readonly [string, string]): boolean =>
  streamHandles !== null || [one, other].every((kind) => kind === 'in memory' || kind === 'socket');

describe.each(PAIRS.filter(possible))('a tunnel from a stream (%s) to a stream (%s)', (from, to) => {
  test('carries bytes both ways and counts them', async () => {
    await using both = await joined(from, to);
    const { client, upstream, tunnel } = both.start();
    client.stream.writeText('question');
    await until(() => upstream.text === 'question', 'the upstream has it');
    upstream.stream.writeText('an answer');
    await until(() => client.text === 'an answer', 'the client has it');
    expect([tunnel.bytesFromClient, tunnel.bytesFromUpstream]).toEqual([8, 9]);
    tunnel.close('');
  });

  test('carries what was sent before its start', async () => {
    await using both = await joined(from, to);
    const { client, upstream } = both;
    client.stream.writeText('hello');
    upstream.stream.writeText('welcome');
    both.start();
    await until(() => upstream.text === 'hello' && client.text === 'welcome', 'both are heard');
    both.tunnel.close('');
  });

  test.each(['client', 'upstream'] as const)('passes on the end of the %s, and closes with the other', async (who) => {
    await using both = await joined(from, to);
    const { client, upstream } = both.start();
    const [first, last] = who === 'client' ? [client, upstream] : [upstream, client];
    first.stream.writeText('bye');
    first.stream.end();
    await until(() => last.ended, 'the other is told');
    expect(last.text).toBe('bye');
    expect(both.codes).toEqual([]);
    last.stream.writeText('still here');
    await until(() => first.text === 'still here', 'the other goes on');
    last.stream.end();
    await until(() => both.codes.length > 0, 'it is closed');
    expect(both.codes).toEqual(['']);
    await until(() => first.ended, 'the first is told');
    for (const { closed } of both.peers) expect(closed).not.toBe('ECONNRESET');
  });

  test.each(['client', 'upstream'] as const)('holds the peer back while the %s takes nothing', async (who) => {
    const lines = [await LINES[from]!(), await LINES[to]!()] as const;
    const paused = lines.map(({ near }) => vi.spyOn(near, 'pause'));
    await using both = new Joined(...lines, Number.POSITIVE_INFINITY);
    const { client, upstream, tunnel } = both.start();
    const [slow, eager] = who === 'client' ? [client, upstream] : [upstream, client];
    const pause = paused[who === 'client' ? 1 : 0]!;
    pause.mockClear();
    slow.stream.pause();
    const sent = pattern(0, MUCH);
    eager.stream.write('', sent, 0, sent.length, '');
    eager.stream.end();
    await until(() => pause.mock.calls.length > 0, 'the tunnel has stopped reading');
    const passed = who === 'client' ? tunnel.bytesFromUpstream : tunnel.bytesFromClient;
    expect(passed).toBeLessThan(MUCH);
    expect(eager.stream.pending).toBe(true);
    slow.stream.writeText('the other direction');
    await until(() => eager.text === 'the other direction', 'the other direction flows');
    slow.stream.resume();
    await until(() => slow.ended, 'the end is heard');
    expect([slow.bytes, slow.inOrder]).toEqual([MUCH, true]);
    slow.stream.end();
    await until(() => both.codes.length > 0, 'it is closed');
    expect(both.codes).toEqual(['']);
  });

  test('closes when no byte has passed for too long', async () => {
    await using both = await joined(from, to, IDLE);
    const { client, upstream, clock } = both.start();
    for (const [peer, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      clock.advance(IDLE - 200);
      peer.stream.writeText('x');
      await until(() => other.text === 'x', 'it is heard');
    }
    clock.advance(IDLE - 200);
    expect(both.codes).toEqual([]);
    clock.advance(300);
    expect(both.codes).toEqual(['idle_timeout']);
    await until(() => both.peers.every(({ closed }) => closed === 'ECONNRESET'), 'neither takes it for a complete one');
  });

  test.each(['client', 'upstream'] as const)('resets the other when the %s is reset', async (who) => {
    await using both = await joined(from, to);
    const { client, upstream } = both.start();
    const [broken, other] = who === 'client' ? [client, upstream] : [upstream, client];
    broken.stream.reset();
    await until(() => other.closed === 'ECONNRESET', 'the other is reset');
    expect(both.codes).toEqual(['ECONNRESET']);
  });

  test('closed from outside, it resets both unless that was the regular end', async () => {
    for (const code of ['drained', '']) {
      await using both = await joined(from, to);
      const { client, upstream, tunnel } = both.start();
      client.stream.writeText('x');
      await until(() => upstream.bytes === 1, 'it flows');
      tunnel.close(code);
      tunnel.close('again');
      expect(both.codes).toEqual([code]);
      const told = (peer: Peer): boolean => (code === '' ? peer.ended : peer.closed === 'ECONNRESET');
      await until(() => both.peers.every(told), 'both are told');
    }
  });

  test('about to end, it closes after its time, whatever flows meanwhile', async () => {
    await using both = await joined(from, to, IDLE);
    const { client, upstream, tunnel, clock } = both.start();
    tunnel.expire(2000, 'drained');
    clock.advance(1800);
    client.stream.writeText('x');
    await until(() => upstream.bytes === 1, 'it still flows');
    expect(both.codes).toEqual([]);
    clock.advance(300);
    expect(both.codes).toEqual(['drained']);
  });
});

describe('a stream that shares its connection', () => {
  /** A peer that is paused otherwise reads one window. */
  function readSome({ stream }: Peer): void {
    stream.resume();
    stream.pause();
  }

  test('is not idle while its peer takes bytes slowly, and is closed when the peer has stopped', async () => {
    await using both = new Joined(await memoryLine(1024), await memoryLine(), IDLE);
    const { client, upstream, clock } = both.start();
    client.stream.pause();
    const sent = pattern(0, WINDOW);
    upstream.stream.write('', sent, 0, sent.length, '');
    upstream.stream.end();
    await until(() => both.tunnel.bytesFromUpstream === WINDOW, 'the tunnel has them');
    for (let i = 0; i < 5; i++) {
      clock.advance(IDLE - 1000);
      expect(both.codes).toEqual([]);
      readSome(client);
    }
    clock.advance(2 * IDLE);
    expect(both.codes).toEqual(['idle_timeout']);
  });

  test('with bytes that were written before the tunnel began, its peer is read when those have left', async () => {
    const client = await memoryLine();
    const upstream = await memoryLine();
    client.near.write('', pattern(0, 2 * WINDOW), 0, 2 * WINDOW, '');
    await using both = new Joined(client, upstream, IDLE);
    both.upstream.stream.writeText('behind it');
    both.tunnel.start();
    expect([client.near.pending, both.tunnel.bytesFromUpstream]).toEqual([true, 0]);
    both.client.stream.resume();
    await until(() => both.client.bytes === 2 * WINDOW + 9, 'all of it has come');
    both.tunnel.close('');
  });

  test('with such bytes and a peer that stops taking them, it is closed', async () => {
    const client = await memoryLine();
    client.near.write('', pattern(0, 3 * WINDOW), 0, 3 * WINDOW, '');
    await using both = new Joined(client, await memoryLine(), IDLE);
    both.tunnel.start();
    both.clock.advance(IDLE / 2);
    readSome(both.client);
    both.clock.advance(IDLE - 1000);
    expect(both.codes).toEqual([]);
    both.clock.advance(3 * IDLE);
    expect(both.codes).toEqual(['idle_timeout']);
  });
});
