/**
 * When handshakes begin: in order of arrival, a few in each turn of the event loop, and so many at once. Hot.
 *
 *     enter ──▶ waiting ── room, and time in this turn ──▶ active ── leave ──▶
 *
 * A handshake takes a fraction of a millisecond of CPU in one piece, with a large RSA key several. If thousands of
 * clients come together, the requests of others come in between (`HandshakePace`). A handshake in progress holds memory:
 * a listener has a limit (`HandshakeQueue`). So that clients that don't go on cannot keep others out, the oldest
 * handshake makes room after a second if others wait.
 */
import type { Clock } from '../../kit/clock.ts';
import { NOWHERE } from '../../kit/places.ts';
import type { Deadlines, Timed } from '../deadlines.ts';

/** Milliseconds of each turn in which handshakes begin. At least one does. */
const SHARE = 1;
/** Milliseconds after which a handshake makes room for one that waits: clients answer within a round trip. */
const PATIENCE = 1000;
/** Milliseconds between two looks at the oldest. */
const PERIOD = 100;

/** A handshake, as a member of the queue. The queue sets its fields. */
export interface QueuedHandshake {
  queueState: 'out' | 'waiting' | 'active';
  /** Its neighbours; null when it has left, so that it keeps nothing alive. */
  before: QueuedHandshake | null;
  behind: QueuedHandshake | null;
  /** Monotonic ms at which it became active. */
  activeSince: number;
  /** It is its turn. */
  begin(): void;
  /** Others need its room. It must leave. */
  makeRoom(): void;
}

/** A list in order of arrival. */
class Line {
  first: QueuedHandshake | null = null;
  #last: QueuedHandshake | null = null;
  length = 0;

  push(one: QueuedHandshake): void {
    one.before = this.#last;
    if (this.#last === null) this.first = one;
    else this.#last.behind = one;
    this.#last = one;
    this.length++;
  }

  remove(one: QueuedHandshake): void {
    const { before, behind } = one;
    if (before === null) this.first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    one.before = null;
    one.behind = null;
    this.length--;
  }
}

/** Shares the time of each turn among the listeners of a gateway. */
export class HandshakePace {
  readonly #clock: Clock;
  /** Those with a handshake that may begin, the next one first. */
  #queues: HandshakeQueue[] = [];
  /** Milliseconds of this turn that handshakes have taken. */
  #spent = 0;
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a handshake may begin in this turn. */
  get free(): boolean {
    return this.#spent < SHARE && this.#queues.length === 0;
  }

  run(one: QueuedHandshake): void {
    const started = this.#clock.now();
    one.begin();
    this.#spent += this.#clock.now() - started;
    this.#schedule();
  }

  /** The queue has a handshake that may begin. */
  wake(queue: HandshakeQueue): void {
    if (queue.woken) return;
    queue.woken = true;
    this.#queues.push(queue);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(turn, this);
  }

  /** For the callback of a turn only. */
  turn(): void {
    this.#scheduled = false;
    this.#spent = 0;
    while (this.#queues.length > 0 && this.#spent < SHARE) {
      const queue = this.#queues.shift()!;
      queue.woken = false;
      queue.beginOne();
    }
    if (this.#queues.length > 0) this.#schedule();
  }
}

function turn(pace: HandshakePace): void {
  pace.turn();
}

/** How many there are, for the metrics. */
export interface HandshakeCounts {
  handshakesActive: number;
  handshakesWaiting: number;
}

/** The handshakes of one listener. */
export class HandshakeQueue implements Timed {
  deadline = Number.POSITIVE_INFINITY;
  timedPlace = NOWHERE;
  /** It is in the list of the pace, which sets this. */
  woken = false;
  readonly #pace: HandshakePace;
  readonly #deadlines: Deadlines;
  readonly #counts: HandshakeCounts;
  readonly #waiting = new Line();
  readonly #active = new Line();
  /** 0: no limit. */
  #limit = 0;

  constructor(pace: HandshakePace, deadlines: Deadlines, counts: HandshakeCounts) {
    this.#pace = pace;
    this.#deadlines = deadlines;
    this.#counts = counts;
  }

  /** Begins at once or in its turn. `limit`: the most at once; 0: any number. */
  enter(one: QueuedHandshake, limit: number): void {
    this.#limit = limit;
    if (this.#waiting.length === 0 && this.#hasRoom && this.#pace.free) {
      this.#activate(one);
      return;
    }
    one.queueState = 'waiting';
    this.#waiting.push(one);
    this.#counts.handshakesWaiting++;
    if (this.#hasRoom) this.#pace.wake(this);
    else if (this.timedPlace === NOWHERE) {
      this.deadline = this.#deadlines.now + PERIOD;
      this.#deadlines.add(this);
    }
  }

  /** It is over, or gives up. */
  leave(one: QueuedHandshake): void {
    if (one.queueState === 'waiting') this.#dequeue(one);
    else if (one.queueState === 'active') {
      this.#active.remove(one);
      this.#counts.handshakesActive--;
      if (this.#waiting.length > 0) this.#pace.wake(this);
    }
    one.queueState = 'out';
  }

  /** Called by the pace. */
  beginOne(): void {
    const { first } = this.#waiting;
    if (first === null || !this.#hasRoom) return;
    this.#dequeue(first);
    // Behind the queues of other listeners, unless it has none.
    if (this.#waiting.length > 0) this.#pace.wake(this);
    this.#activate(first);
  }

  onDeadline(): void {
    const now = this.#deadlines.now;
    this.deadline = now + PERIOD;
    for (let room = this.#limit - this.#active.length; room < this.#waiting.length; room++) {
      const oldest = this.#active.first;
      if (oldest === null || oldest.activeSince + PATIENCE > now) break;
      oldest.makeRoom();
    }
  }

  get #hasRoom(): boolean {
    return this.#limit === 0 || this.#active.length < this.#limit;
  }

  #activate(one: QueuedHandshake): void {
    one.queueState = 'active';
    one.activeSince = this.#deadlines.now;
    this.#active.push(one);
    this.#counts.handshakesActive++;
    this.#pace.run(one);
  }

  #dequeue(one: QueuedHandshake): void {
    this.#waiting.remove(one);
    this.#counts.handshakesWaiting--;
    if (this.#waiting.length === 0) this.#deadlines.delete(this);
  }
}
