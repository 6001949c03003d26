/**
 * Two transports joined in memory, as strict as the contract of net/byte-stream.ts allows.
 *
 * Nothing moves by itself: `Turns` picks the next of all events that may happen, by its seed. So bytes are split,
 * delayed and joined at any boundary, and one seed always gives the same order. The memory of a read is overwritten as
 * soon as the contract says that it is no longer valid.
 */
import type { Random } from '../../../src/kit/random.ts';
import { type ByteStreamHandler, IGNORE } from '../../../src/net/byte-stream.ts';
import type { Transport, TransportAddresses } from '../../../src/net/transport.ts';

/** Runs whatever may happen next until nothing may. */
export class Turns {
  readonly random: Random;
  readonly #sources: (() => readonly (() => void)[])[] = [];
  #tasks: (() => void)[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  /** `source` lists the events that may happen now. */
  add(source: () => readonly (() => void)[]): void {
    this.#sources.push(source);
  }

  /** Runs `task` at some later turn. Tasks keep their order. */
  soon(task: () => void): void {
    this.#tasks.push(task);
  }

  /** Runs until nothing may happen any more, or until `done`. */
  run(done: () => boolean = () => false): void {
    for (let turn = 0; !done(); turn++) {
      if (turn > 2_000_000) throw new Error('the exchange never comes to rest');
      const events = this.#sources.flatMap((source) => source());
      if (this.#tasks.length > 0) events.push(() => this.#tasks.shift()!());
      if (events.length === 0) return;
      events[Math.floor(this.random() * events.length)]!();
    }
  }
}

/** How a run delivers bytes; each seed has its own way. */
export interface WireOptions {
  /** Bytes that the network holds in each direction. */
  readonly capacity: number;
  /** Bytes of the next read, at most `available`. */
  readonly chunk: (available: number) => number;
  /** The end of a peer is reported even while reading is paused, as net.Socket does. */
  readonly eagerEnd: boolean;
}

/** Bytes of a read after which chunks are no longer tiny, so that large bodies end in time. */
const TINY_UNTIL = 1500;

/** The way of delivery for a seed. */
export function wireOptions(seed: number, random: Random): WireOptions {
  let tiny = TINY_UNTIL;
  const small = (most: number): number => {
    tiny -= most;
    return tiny > 0 ? most : 16 * 1024;
  };
  const ways: ((available: number) => number)[] = [
    (available) => available,
    () => small(1),
    () => small(1 + Math.floor(random() * 64)),
    (available) => 1 + Math.floor(random() * available),
  ];
  const chunk = ways[seed % ways.length]!;
  const capacity = [64 * 1024, 4096, 1000, 16 * 1024][Math.floor(seed / 2) % 4]!;
  return { capacity, eagerEnd: seed % 3 === 1, chunk: (available) => Math.min(available, chunk(available)) };
}

const POISON = 0xee;

/** One end of a wire. */
export class MemoryEnd implements Transport {
  handler: ByteStreamHandler = IGNORE;
  closed = false;
  pending = false;
  readonly secure = false;
  readonly protocol = null;
  bytesRead = 0;
  bytesWritten = 0;
  bytesSent = 0;
  paused = false;
  /** Bytes that this end may still receive before the connection breaks. */
  left = Number.POSITIVE_INFINITY;
  /** How it breaks then: both ends are reset, or this end sees a normal end. */
  breaksBy: 'reset' | 'end' = 'reset';
  peer!: MemoryEnd;
  readonly #turns: Turns;
  readonly #options: WireOptions;
  /** Written, and not taken by the network yet: the caller's memory. */
  #queue: Buffer[] = [];
  /** On the way to the peer. */
  #network: Buffer[] = [];
  #inNetwork = 0;
  #ending = false;
  /** The connection is cut: what it writes gets nowhere any more. */
  #lost = false;
  /** This end takes the cut for the end of its peer. */
  #endsHere = false;
  #told: ByteStreamHandler | null = null;
  /** Why the connection is about to break, or ''. */
  #broken = '';
  /** Reads whose memory is still valid, since the handler has paused. */
  #held: Buffer[] = [];
  #delivering = false;

  constructor(turns: Turns, options: WireOptions) {
    this.#turns = turns;
    this.#options = options;
    turns.add(() => this.#events());
  }

  /** What may happen at this end now. */
  #events(): (() => void)[] {
    if (this.closed) return [];
    const events: (() => void)[] = [];
    const { peer } = this;
    if (this.#broken !== '') events.push(() => this.#break());
    if (this.#queue.length > 0 && (this.#inNetwork < this.#options.capacity || peer.closed))
      events.push(() => this.#take());
    if (peer.#inNetwork > 0 && !this.paused) events.push(() => this.#deliver());
    const ended = this.#endsHere || (peer.#ending && peer.#inNetwork === 0 && peer.#queue.length === 0);
    // A second handler is told again, once it has resumed.
    const told = this.#told === null ? !this.paused || this.#options.eagerEnd : !this.paused;
    if (ended && told && this.#told !== this.handler) {
      events.push(() => {
        this.#told = this.handler;
        this.handler.onEnd();
      });
    }
    return events;
  }

  #break(): void {
    const code = this.#broken;
    this.closed = true;
    this.#queue = [];
    this.peer.#network = [];
    this.peer.#inNetwork = 0;
    this.handler.onClose(code);
  }

  /** The network takes written bytes. */
  #take(): void {
    while (this.#queue.length > 0) {
      const room = this.#options.capacity - this.#inNetwork;
      if (room <= 0 && !this.peer.closed) return;
      const part = this.#queue[0]!;
      const taken = this.peer.closed ? part.length : Math.min(room, part.length);
      this.#send(part.subarray(0, taken));
      if (taken === part.length) this.#queue.shift();
      else this.#queue[0] = part.subarray(taken);
    }
    this.pending = false;
    this.handler.onDrain();
  }

  #send(bytes: Buffer): void {
    this.bytesSent += bytes.length;
    // A closed peer answers with a RST.
    if (this.peer.closed) this.#broken = 'ECONNRESET';
    if (this.peer.closed || this.#lost || bytes.length === 0) return;
    this.#network.push(Buffer.from(bytes));
    this.#inNetwork += bytes.length;
  }

  #deliver(): void {
    const { peer } = this;
    const size = Math.min(this.#options.chunk(peer.#inNetwork), this.left);
    if (size > 0) {
      const before = Math.floor(this.#turns.random() * 8);
      const read = Buffer.alloc(before + size + 8, POISON);
      peer.#arrive(read, before, size);
      this.bytesRead += size;
      this.left -= size;
      this.#held.push(read);
      this.#delivering = true;
      this.handler.onBytes(read, before, before + size);
      this.#delivering = false;
      if (!this.paused) this.#release();
    }
    if (this.left === 0 && !this.closed) this.#cut();
  }

  /** Moves the first bytes of the network into a read. */
  #arrive(read: Buffer, at: number, size: number): void {
    for (let got = 0; got < size; ) {
      const first = this.#network[0]!;
      const taken = first.copy(read, at + got, 0, Math.min(first.length, size - got));
      if (taken === first.length) this.#network.shift();
      else this.#network[0] = first.subarray(taken);
      got += taken;
    }
    this.#inNetwork -= size;
  }

  /** The connection breaks here. */
  #cut(): void {
    const { peer } = this;
    this.left = Number.POSITIVE_INFINITY;
    peer.#network = [];
    peer.#inNetwork = 0;
    peer.#queue = [];
    peer.#broken = 'ECONNRESET';
    peer.#lost = true;
    this.#lost = true;
    if (this.breaksBy === 'reset') this.#broken = 'ECONNRESET';
    else this.#endsHere = true;
  }

  #release(): void {
    if (this.#delivering) return;
    for (const read of this.#held) read.fill(POISON);
    this.#held = [];
  }

  writeText(text: string): boolean {
    return this.#write([Buffer.from(text, 'latin1')]);
  }

  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean {
    return this.#write([Buffer.from(prefix, 'latin1'), bytes.subarray(start, end), Buffer.from(suffix, 'latin1')]);
  }

  #write(parts: readonly Buffer[]): boolean {
    if (this.closed) return true;
    if (this.#ending) throw new Error('a write after the end');
    for (const part of parts) {
      this.bytesWritten += part.length;
      const room = this.peer.closed ? part.length : Math.max(0, this.#options.capacity - this.#inNetwork);
      const taken = this.pending ? 0 : Math.min(room, part.length);
      this.#send(part.subarray(0, taken));
      if (taken === part.length) continue;
      this.#queue.push(part.subarray(taken));
      this.pending = true;
    }
    return !this.pending;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#release();
  }

  end(): void {
    this.#ending = true;
  }

  destroy(): void {
    this.#close(false);
  }

  reset(): void {
    this.#close(true);
  }

  #close(reset: boolean): void {
    if (this.closed) return;
    this.closed = true;
    this.#queue = [];
    // What this end has not read makes its close a RST (RFC 9112 §9.6 warns of it).
    if (reset || this.peer.#inNetwork > 0) this.peer.#broken = 'ECONNRESET';
    else this.#ending = true;
    this.peer.#network = [];
    this.peer.#inNetwork = 0;
  }

  addresses(): TransportAddresses {
    // Port 0: the kernel is not asked for the queue of a connection that it doesn't know.
    return { remoteAddress: '192.0.2.1', remotePort: 0, localAddress: '192.0.2.2', localPort: 80 };
  }
}

/** A connection of two ends. */
export function wire(turns: Turns, options: WireOptions): readonly [MemoryEnd, MemoryEnd] {
  const ends = [new MemoryEnd(turns, options), new MemoryEnd(turns, options)] as const;
  [ends[0].peer, ends[1].peer] = [ends[1], ends[0]];
  return ends;
}
