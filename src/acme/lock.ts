/**
 * Locks in a directory that several gateways share: files that their owners rewrite all the time. Cold.
 *
 * The clocks of hosts differ, so no time in a file counts: a lock is left behind if its content does not change while
 * another gateway watches it for as long as it lasts. Taking it over renames it first; the one whose rename succeeds,
 * and finds what it watched, goes on. An owner that comes back late sees that the lock is not its own, and stops. Where
 * two hold it for a moment all the same, an order is made twice, and nothing is damaged.
 */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock, Timer } from '../kit/clock.ts';
import { AcmeError } from './client/acme-error.ts';
import type { CertificateStore } from './store.ts';

/** How long a lock lasts without a sign of its owner (ms). */
export const LOCK_LIFETIME = 30_000;
const BEAT = LOCK_LIFETIME / 3;

export interface Lock {
  /** Aborted with `lost_lock` when another gateway took it over. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

export class Locks {
  readonly #store: CertificateStore;
  readonly #clock: Clock;
  readonly #owner = `${hostname()} ${process.pid} ${randomBytes(8).toString('hex')}`;
  /** The locks of others: what they contain, and since when that has not changed. */
  readonly #watched = new Map<string, { readonly text: string; readonly since: number }>();

  constructor(store: CertificateStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** null: another gateway has it; ask again within LOCK_LIFETIME, and after it. */
  async take(id: string): Promise<Lock | null> {
    const { disk } = this.#store;
    const path = join(await this.#store.prepare('locks'), id);
    if (!(await disk.create(path, this.#text(0)))) {
      if (!(await this.#isLeft(path)) || !(await this.#remove(path)) || !(await disk.create(path, this.#text(0))))
        return null;
    }
    this.#watched.delete(path);
    return this.#held(path);
  }

  #held(path: string): Lock {
    const { disk } = this.#store;
    const lost = new AbortController();
    let beats = 0;
    let beating: Promise<void> = Promise.resolve();
    const isOurs = async (): Promise<boolean> => (await disk.read(path))?.toString('utf8') === this.#text(beats);
    const beat = async (): Promise<void> => {
      if (!(await isOurs())) {
        lost.abort(new AcmeError('lost_lock', 'another gateway has taken over'));
        return;
      }
      await disk.replace(path, this.#text(beats + 1));
      beats++;
    };
    // A disk that fails keeps its owner from saying that it lives: then another gateway may take over.
    const timer: Timer = this.#clock.every(BEAT, () => {
      beating = beating.then(beat).catch(() => {});
    });
    return {
      lost: lost.signal,
      release: async () => {
        timer.cancel();
        await beating;
        if (await isOurs()) await disk.remove(path);
      },
    };
  }

  async #isLeft(path: string): Promise<boolean> {
    const text = (await this.#store.disk.read(path))?.toString('utf8');
    const known = this.#watched.get(path);
    if (text === undefined) return false;
    if (known?.text === text) return this.#clock.now() - known.since >= LOCK_LIFETIME;
    this.#watched.set(path, { text, since: this.#clock.now() });
    return false;
  }

  /** Returns false if another gateway was faster, or the owner lives. */
  async #remove(path: string): Promise<boolean> {
    const { disk } = this.#store;
    const aside = `${path}.${randomBytes(8).toString('hex')}`;
    if (!(await disk.move(path, aside))) return false;
    const text = (await disk.read(aside))?.toString('utf8') ?? '';
    const left = text === this.#watched.get(path)?.text;
    if (!left) await disk.create(path, text);
    await disk.remove(aside);
    return left;
  }

  #text(beats: number): string {
    return `${this.#owner} ${beats}\n`;
  }
}
