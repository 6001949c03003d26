/**
 * Limits accepted connections to the number of available file descriptors: beyond it, new connections wait in the
 * system's backlog. Cold.
 *
 * A refusal would cost a descriptor too, and without one the system would drop connections in an order of its own. The
 * gateway checks ten times a second and resumes once there is some room, so that it does not switch with each
 * connection. Listeners that can't be paused (Unix sockets) refuse connections as at a limit.
 */
import type { Clock, Timer } from '../../kit/clock.ts';
import type { Events } from '../../observe/events.ts';
import type { Log } from '../../observe/log.ts';
import type { TotalConnections } from '../../proxy/admission.ts';

/** Milliseconds between two checks. */
const PERIOD = 100;
/** Accepting resumes below this fraction of the possible connections. */
const ROOM = 0.95;
/** The pause is reported at most once in this many ms. */
const QUIET = 10_000;

export interface Pausable {
  pause(): void;
  resume(): void;
}

export interface AcceptingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Events;
}

export class Accepting {
  readonly #total: TotalConnections;
  readonly #listeners: Pausable;
  readonly #parts: AcceptingParts;
  #timer: Timer | null = null;
  #toldAt = Number.NEGATIVE_INFINITY;
  #telling = false;

  constructor(total: TotalConnections, listeners: Pausable, parts: AcceptingParts) {
    this.#total = total;
    this.#listeners = listeners;
    this.#parts = parts;
    total.whenAllUsed(() => this.#pause());
  }

  #pause(): void {
    if (this.#timer !== null) return;
    const { clock } = this.#parts;
    this.#listeners.pause();
    this.#timer = clock.every(PERIOD, () => this.#look());
    this.#telling = clock.now() - this.#toldAt >= QUIET;
    this.#tell(true);
  }

  #look(): void {
    const { active, possible } = this.#total;
    if (active > Math.min(possible - 1, possible * ROOM)) return;
    this.close();
    this.#listeners.resume();
    this.#tell(false);
  }

  #tell(paused: boolean): void {
    if (!this.#telling) return;
    const { clock, log, events } = this.#parts;
    this.#toldAt = clock.now();
    const connections = this.#total.active;
    if (paused) log.warn('no more file descriptors: new connections wait', { connections });
    else log.info('connections are accepted again', { connections });
    events.emit({ time: new Date(clock.wall()).toISOString(), type: 'accepting', paused, connections });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
