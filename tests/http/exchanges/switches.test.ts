/** Exchanges that change the protocol: what follows is a stream of bytes in both directions. */
import { describe, expect, test, vi } from 'vitest';
import type { ByteStream, ByteStreamHandler } from '../../../src/net/byte-stream.ts';
import { bytesOf } from './bodies.ts';
import { CODECS, type CodecPair } from './codecs.ts';
import { judgeAnswer } from './judge.ts';
import { type Asking, Meeting, NOTHING } from './meeting.ts';
import { ALL_WAYS, answering } from './support.ts';
import type { Turns } from './wire.ts';

vi.mock('../../../src/http/fields-pool.ts', () => import('./counted-fields.ts'));

const OFFER = { path: '/chat', offered: 'chat' };

/** A user of one end of the stream: sends so many bytes, and takes what comes at its own pace. */
class Talker implements ByteStreamHandler {
  sent = 0;
  ended = false;
  /** The cause if the stream broke. */
  broken = '';
  /** It takes nothing. */
  stuck = false;
  readonly stream: ByteStream;
  readonly #turns: Turns;
  readonly #bytes: Buffer;
  readonly #parts: Buffer[] = [];
  #finished = false;

  constructor(turns: Turns, stream: ByteStream, size: number) {
    this.stream = stream;
    this.#turns = turns;
    this.#bytes = bytesOf(size);
    stream.handler = this;
    // It need not be ready at once.
    turns.soon(() => {
      if (!this.stuck) stream.resume();
      this.#send();
    });
  }

  get received(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #send(): void {
    while (this.sent < this.#bytes.length) {
      const size = 1 + Math.floor(this.#turns.random() * 3000);
      const end = Math.min(this.#bytes.length, this.sent + size);
      const start = this.sent;
      this.sent = end;
      if (!this.stream.write('', this.#bytes, start, end, '')) return;
    }
    if (this.#finished) return;
    this.#finished = true;
    this.stream.end();
    this.#settle();
  }

  /** Both directions have ended: the owner closes the stream. */
  #settle(): void {
    if (this.ended && this.#finished && !this.stream.pending) this.stream.destroy();
  }

  onBytes(bytes: Buffer, start: number, end: number): void {
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
    if (this.#turns.random() < 0.7) return;
    this.stream.pause();
    this.#turns.soon(() => this.stream.resume());
  }

  onDrain(): void {
    this.#send();
    this.#settle();
  }

  onEnd(): void {
    if (this.ended) throw new Error('a second end');
    this.ended = true;
    this.#settle();
  }

  onClose(code: string): void {
    this.broken = code;
  }
}

interface Talk {
  readonly meeting: Meeting;
  readonly asking: Asking;
  near: Talker | null;
  far: Talker | null;
}

/** Changes protocols; each side sends so many bytes. */
function talk(pair: CodecPair, seed: number, nearSize: number, farSize: number): Talk {
  const meeting = new Meeting(pair, seed);
  const state: Talk = { meeting, asking: meeting.ask(OFFER), near: null, far: null };
  meeting.serve = (serving) => {
    expect(serving.stream.upgrade).toBe(true);
    state.far = new Talker(meeting.turns, serving.switchTo('chat'), farSize);
  };
  state.asking.onEvent = (event) => {
    if (event === 'switched') state.near = new Talker(meeting.turns, state.asking.switchedTo!, nearSize);
  };
  return state;
}

/** An end that came early is told on a later tick of the event loop. */
async function rest(meeting: Meeting): Promise<void> {
  for (let i = 0; i < 3; i++) {
    meeting.run();
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
  meeting.run();
}

describe.each(CODECS)('$server.name and $client.name', (pair) => {
  test.each([
    ['both talk', 20_000, 30_000],
    ['only the client talks', 20_000, 0],
    ['only the server talks', 0, 20_000],
    ['neither side talks', 0, 0],
  ])('%s, and both end', async (_, nearSize, farSize) => {
    for (const seed of ALL_WAYS) {
      const state = talk(pair, seed, nearSize, farSize);
      await rest(state.meeting);
      const { near, far, asking, meeting } = state;
      expect([asking.status, near!.broken, far!.broken, near!.ended, far!.ended]).toEqual([101, '', '', true, true]);
      expect(near!.received.equals(bytesOf(farSize)), `seed ${seed}`).toBe(true);
      expect(far!.received.equals(bytesOf(nearSize)), `seed ${seed}`).toBe(true);
      expect(meeting.leftBehind()).toEqual(NOTHING);
    }
  });

  test.each(['near', 'far'] as const)(
    'the %s side breaks the stream in the middle, and the other learns it',
    async (side) => {
      for (const seed of ALL_WAYS) {
        const state = talk(pair, seed, 200_000, 200_000);
        state.meeting.run(() => state.near !== null && state.far !== null && state[side]!.received.length > 1000);
        state[side]!.stream.reset();
        await rest(state.meeting);
        const other = side === 'near' ? state.far! : state.near!;
        expect([state[side]!.broken, other.broken !== '', other.ended], `seed ${seed}`).toEqual(['', true, false]);
        expect(state.meeting.leftBehind()).toEqual(NOTHING);
      }
    },
  );

  test('a side that takes nothing stops the other', async () => {
    for (const seed of ALL_WAYS) {
      const state = talk(pair, seed, 500_000, 0);
      state.meeting.run(() => state.far !== null);
      state.far!.stuck = true;
      await rest(state.meeting);
      const { near, far, meeting } = state;
      expect(near!.sent).toBeLessThan(100_000);
      expect(far!.received.length).toBe(0);
      near!.stream.destroy();
      far!.stream.destroy();
      expect(meeting.leftBehind()).toEqual(NOTHING);
    }
  });

  test('the server may answer instead, and the connection goes on', () => {
    for (const seed of ALL_WAYS) {
      const meeting = new Meeting(pair, seed);
      const answer = { status: 403, body: { size: 100, known: true } };
      meeting.serve = answering(meeting, answer);
      for (let i = 1; i <= 3; i++) {
        const asking = meeting.ask(OFFER);
        meeting.run();
        judgeAnswer(asking, answer);
        expect(meeting.client.uses).toBe(i);
      }
      expect(meeting.leftBehind()).toEqual(NOTHING);
    }
  });

  test('a change to what was not offered is refused', async () => {
    for (const seed of ALL_WAYS) {
      const meeting = new Meeting(pair, seed);
      let far: Talker | null = null;
      meeting.serve = (serving) => {
        far = new Talker(meeting.turns, serving.switchTo('other'), 100);
      };
      const asking = meeting.ask(OFFER);
      await rest(meeting);
      expect(asking.failed?.code).toBe('bad_response');
      far!.stream.destroy();
      expect(meeting.leftBehind()).toEqual(NOTHING);
    }
  });
});
