/**
 * The write queue: responses that wait for the disk, bounded in bytes, and those being written. Hot: once per stored
 * response.
 */
import { numberHash, OpenTable } from '../../kit/open-table.ts';
import type { PendingWrite } from './pending-write.ts';

/** Limit of bytes in the queue. */
const MOST_WAITING = 32 * 1024 * 1024;
/** Bytes that are encoded and written in one go. */
const BATCH = 256 * 1024;

export class WriteQueue {
  #queue: PendingWrite[] = [];
  /** Responses that wait or are being written, by key hash. */
  readonly #pending = new OpenTable<number, PendingWrite[]>(numberHash);
  /** Their size. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Their lowest number. */
  get lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const items of this.#pending.values()) for (const { number } of items) lowest = Math.min(lowest, number);
    return lowest;
  }

  hasRoom(bytes: number): boolean {
    return this.bytes + bytes <= MOST_WAITING;
  }

  add(item: PendingWrite): void {
    this.#queue.push(item);
    this.#note(item);
  }

  /** Puts them in front of all others. */
  addFirst(items: readonly PendingWrite[]): void {
    for (const item of items) this.#note(item);
    this.#queue.unshift(...items);
  }

  #note(item: PendingWrite): void {
    this.bytes += item.size;
    const others = this.#pending.get(item.hash);
    if (others === undefined) this.#pending.set(item.hash, [item]);
    else others.push(item);
  }

  /** Takes the next batch. The caller calls `done` for each, whether the write succeeded or not. */
  nextBatch(): PendingWrite[] {
    let count = 0;
    for (let size = 0; count < this.#queue.length && size < BATCH; count++) size += this.#queue[count]!.size;
    return this.#queue.splice(0, count);
  }

  done(item: PendingWrite): void {
    this.bytes -= item.size;
    const others = this.#pending.get(item.hash)!.filter((one) => one !== item);
    if (others.length === 0) this.#pending.delete(item.hash);
    else this.#pending.set(item.hash, others);
  }

  /** Empties the queue, and returns what it held. */
  giveUp(): readonly PendingWrite[] {
    const all = this.#queue.splice(0);
    for (const item of all) this.done(item);
    return all;
  }

  /**
   * Marks matching items as dead: waiting ones are not written, and those being written do not become live. Returns
   * whether there were any.
   */
  kill(hash: number, isMeant: (item: PendingWrite) => boolean): boolean {
    let any = false;
    for (const item of this.#pending.get(hash) ?? []) {
      if (item.dead || !isMeant(item)) continue;
      item.dead = true;
      any = true;
    }
    return any;
  }
}
