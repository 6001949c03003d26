/**
 * A filter that passes one body through a coder, which works in other threads. Hot.
 *
 *     data ─▶ gathered: what one turn of the event loop brings ─▶ job, in a thread ─▶ pieces of the output ─▶ next
 *                │ full: the source waits until                                 │ next is slow: the job stays
 *                ▼ the job before is done                                       ▼ where it is
 *
 * One job at a time, since a thread costs more to wake than a small part takes. Memory: the coder, the parts of the job
 * and of the next (128 KiB each), and a piece of the output. The coder is taken for the first job and given back after
 * the last, or on abort.
 */
import type { GatewayError } from '../../kit/errors.ts';
import { BodyFilter } from '../body-filter.ts';
import type { Fields } from '../fields.ts';
import type { Coder, CoderOwner } from './coder.ts';
import type { FlushFlags } from './encoders.ts';
import { removeDigests } from './representation.ts';

/** Bytes from which on a part is not gathered any further. One read can exceed it. */
const ENOUGH = 128 * 1024;
/** Bytes of a block that has room for ENOUGH and one more read. */
const BLOCK = 192 * 1024;
/** Bytes up to which blocks are made as needed. */
const SMALL = 16 * 1024;
const FIRST_BLOCK = 4096;
/** Blocks that are kept for later use. */
const SPARE_BLOCKS = 32;
const NOTHING = Buffer.alloc(0);

const spare: Buffer[] = [];

export abstract class CodingFilter extends BodyFilter implements CoderOwner {
  #coder: Coder | null = null;
  /** The coder has a job, which may wait for the receiver. */
  #busy = false;
  /** Copies of what has arrived since the last job began: receive buffers are used again. */
  #gathered: Buffer = NOTHING;
  #size = 0;
  /** The block of the job. */
  #block: Buffer = NOTHING;
  /** `work` runs after this turn of the event loop. */
  #due = false;
  /** `data` has returned false: the source waits for the coder. */
  #stopped = false;
  /** The receiver of the output can't take more. */
  #paused = false;
  #ending = false;
  /** The job is the last. */
  #last = false;
  #trailers: Fields | null = null;
  /** The body is over, in one way or another. */
  #over = false;

  protected abstract readonly flags: FlushFlags;
  /** Each part of the output is needed at once, because more may come at any time. */
  protected abstract readonly prompt: boolean;
  /** Bytes of a part from which on it is worth a job, unless it is the last. At most ENOUGH. */
  protected abstract readonly worthwhile: number;
  /** Takes a coder. null: it is not possible, and `failed` has been called. */
  protected abstract open(): Coder | null;
  /** Gives the coder back; null if there was none. `idle`: it has no job. Called once, at the end. */
  protected abstract close(coder: Coder | null, idle: boolean): void;
  /** The coder has refused its input. */
  protected abstract refused(error: Error): GatewayError;
  /** Sees a piece of the output before it is passed on; null: all is well. */
  protected abstract check(piece: Buffer): GatewayError | null;
  /** Judges a coder that has done its last job; null: all is well. */
  protected abstract checkEnd(coder: Coder): GatewayError | null;

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#over || start === end) return true;
    this.#gather(bytes, start, end);
    if (this.#size >= this.worthwhile && !this.#due && !this.#busy && !this.#paused) {
      this.#due = true;
      setImmediate(workOf, this);
    }
    if (this.#size < ENOUGH) return true;
    this.#stopped = true;
    return false;
  }

  #gather(bytes: Buffer, start: number, end: number): void {
    const size = this.#size + end - start;
    const old = this.#gathered;
    if (size > old.length) {
      const larger =
        size <= SMALL || size > BLOCK
          ? Buffer.allocUnsafe(Math.max(size, FIRST_BLOCK))
          : (spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK));
      old.copy(larger, 0, 0, this.#size);
      giveBlock(old);
      this.#gathered = larger;
    }
    bytes.copy(this.#gathered, this.#size, start, end);
    this.#size = size;
  }

  end(trailers: Fields | null): void {
    if (this.#over) return;
    this.#ending = true;
    this.#trailers = trailers;
    this.work();
  }

  override pause(): void {
    this.#paused = true;
  }

  override resume(): void {
    this.#paused = false;
    if (this.#busy) this.#coder?.resume();
    else this.work();
  }

  override abort(): void {
    if (this.#over) return;
    this.#over = true;
    // A thread may still read the block of a job.
    if (!this.#busy) giveBlock(this.#block);
    giveBlock(this.#gathered);
    this.#gathered = NOTHING;
    this.#block = NOTHING;
    this.close(this.#coder, !this.#busy);
    this.#coder = null;
  }

  /** Ends the exchange with an error. */
  protected failed(error: GatewayError): void {
    this.abort();
    this.owner.filterFailed(error);
  }

  /** Gives the coder all that has been gathered, unless it has work. For this file only. */
  work(): void {
    this.#due = false;
    if (this.#busy || this.#paused || this.#over || (this.#size < this.worthwhile && !this.#ending)) return;
    const coder = (this.#coder ??= this.#open());
    if (coder === null) return;
    this.#busy = true;
    this.#last = this.#ending;
    this.#block = this.#gathered;
    const part = this.#block.subarray(0, this.#size);
    this.#gathered = NOTHING;
    this.#size = 0;
    const { flags } = this;
    coder.run(part, this.#last ? flags.last : this.prompt ? flags.now : flags.more);
    if (!this.#stopped) return;
    this.#stopped = false;
    this.previous.resume();
  }

  #open(): Coder | null {
    const coder = this.open();
    if (coder !== null) coder.owner = this;
    return coder;
  }

  // === for the coder

  output(piece: Buffer): boolean {
    const error = this.check(piece);
    if (error !== null) {
      this.failed(error);
      return false;
    }
    if (!this.next.data(piece, 0, piece.length)) this.#paused = true;
    return !this.#paused;
  }

  jobDone(): void {
    this.#busy = false;
    giveBlock(this.#block);
    this.#block = NOTHING;
    if (this.#last) this.#finish();
    else {
      this.next.flush();
      this.work();
    }
  }

  #finish(): void {
    const error = this.checkEnd(this.#coder!);
    if (error !== null) {
      this.failed(error);
      return;
    }
    this.abort();
    const trailers = this.#trailers;
    if (trailers !== null) removeDigests(trailers);
    this.next.end(trailers);
  }

  endedEarly(): void {
    this.failed(this.refused(new Error('bytes after the end')));
  }

  coderFailed(error: Error): void {
    this.failed(this.refused(error));
  }
}

/** Keeps a block for later use; nothing may refer to its bytes. */
function giveBlock(block: Buffer): void {
  if (block.length === BLOCK && spare.length < SPARE_BLOCKS) spare.push(block);
}

function workOf(filter: CodingFilter): void {
  filter.work();
}
