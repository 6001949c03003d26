/** What waits to be written, within a number of bytes, and what is being written. Hot: once per stored response. */
import { numberHash, OpenTable } from '../../kit/open-table.ts';
import type { PendingWrite } from './pending-write.ts';

/** Bytes that may wait. */
const MOST_WAITING = 32 * 1024 * 1024;
/** Bytes that are made ready and written in one go. */
const BATCH = 256 * 1024;

export class WriteQueue {
  #queue: PendingWrite[] = [];
  /** What waits or is being written, by hash of the key. */
  readonly #pending = new OpenTable<number, PendingWrite[]>(numberHash);
  /** Bytes of it. */
  bytes = 0;

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Of the numbers of what is here, the lowest. */
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

  /** Before all others. */
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

  /** What is to be written next. Each is `done` afterwards, well or not. */
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

  /** Nothing of what waits is written. Answers with what that was. */
  giveUp(): readonly PendingWrite[] {
    const all = this.#queue.splice(0);
    for (const item of all) this.done(item);
    return all;
  }

  /** What waits and is meant is not written, and what is being written does not count. Answers whether there was any. */
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
