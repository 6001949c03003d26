/**
 * A filter that passes one body through a coder, which works in other threads. Hot.
 *
 *     data ─▶ waiting ─▶ job: all that one read brought, in a thread ─▶ pieces of the output ─▶ next
 *                                                    │ next is slow: the coder's own buffer fills,
 *                                                    ▼ and the job ends when that has been read
 *
 * One job at a time. The source is stopped while it runs, so the memory is that of the coder, one read that waits, and
 * the coder's output buffer (64 KiB). The coder is made for the first byte and freed with the last, or on abort.
 */
import type { Transform } from 'node:stream';
import { sharedBuffer } from '../../net/read-buffers.ts';
import type { GatewayError } from '../../kit/errors.ts';
import { BodyFilter } from '../body-filter.ts';
import type { Fields } from '../fields.ts';
import { removeDigests } from './representation.ts';

export abstract class CodingFilter extends BodyFilter {
  #coder: Transform | null = null;
  /** The coder has not used up the last part that it was given. */
  #busy = false;
  #waiting: Buffer[] = [];
  /** `#work` runs when the current read has been delivered. */
  #due = false;
  /** `data` has returned false: the source waits for the coder. */
  #stopped = false;
  /** The receiver of the output has asked for a pause. */
  #paused = false;
  #ending = false;
  #trailers: Fields | null = null;
  /** The body is over, in one way or another: what the coder still says is ignored. */
  #over = false;

  /** Makes the coder. null: it is not possible, and `failed` has been called. */
  protected abstract open(): Transform | null;
  /** Frees what the filter has reserved. Called once, at the end. */
  protected abstract close(): void;
  /** The coder has refused its input. */
  protected abstract refused(error: Error): GatewayError;
  /** Sees a piece of the output before it is passed on; null: all is well. */
  protected abstract check(piece: Buffer): GatewayError | null;
  /** Judges a coder that says that it is done; null: all is well. */
  protected abstract checkEnd(coder: Transform): GatewayError | null;

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#over || start === end) return true;
    const part = bytes.subarray(start, end);
    // The next read, on any connection, overwrites the shared buffer.
    this.#waiting.push(bytes === sharedBuffer ? Buffer.from(part) : part);
    if (!this.#due && !this.#busy) {
      this.#due = true;
      process.nextTick(workOf, this);
    }
    this.#stopped = true;
    return false;
  }

  end(trailers: Fields | null): void {
    if (this.#over) return;
    this.#ending = true;
    this.#trailers = trailers;
    this.work();
  }

  override pause(): void {
    this.#paused = true;
    if (this.#coder !== null) this.#coder.pause();
    else if (!this.#stopped) this.previous.pause();
  }

  override resume(): void {
    this.#paused = false;
    if (this.#coder !== null) this.#coder.resume();
    else if (!this.#stopped) this.previous.resume();
  }

  override abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting = [];
    // A thread may still be at work on it: Node frees the coder after that.
    this.#coder?.destroy();
    this.close();
  }

  /** Ends the exchange with an error. */
  protected failed(error: GatewayError): void {
    this.abort();
    this.owner.filterFailed(error);
  }

  /** Gives the coder all that waits, unless it has work. For this file only. */
  work(): void {
    this.#due = false;
    if (this.#busy || this.#over) return;
    const coder = (this.#coder ??= this.#open());
    if (coder === null) return;
    const parts = this.#waiting;
    if (parts.length > 0) this.#waiting = [];
    const part = parts.length > 1 ? Buffer.concat(parts) : parts[0];
    if (part === undefined && !this.#ending) return;
    this.#busy = true;
    // The last part and the end make one job.
    if (this.#ending) coder.end(part);
    else coder.write(part, this.#done);
  }

  readonly #done = (): void => {
    if (this.#over) return;
    this.#busy = false;
    this.next.flush();
    if (this.#waiting.length > 0 || this.#ending) this.work();
    else this.#resumePrevious();
  };

  #resumePrevious(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.previous.resume();
  }

  #open(): Transform | null {
    const coder = this.open();
    if (coder === null) return null;
    // Before it has a listener: that would start it.
    if (this.#paused) coder.pause();
    coder
      .on('data', (piece: Buffer) => this.#took(piece))
      .on('end', () => this.#ended())
      .on('error', (error: Error) => {
        if (!this.#over) this.failed(this.refused(error));
      });
    return coder;
  }

  #took(piece: Buffer): void {
    if (this.#over) return;
    const error = this.check(piece);
    if (error !== null) {
      this.failed(error);
      return;
    }
    if (!this.next.data(piece, 0, piece.length)) this.#coder!.pause();
    // It has waited beyond its job, because the receiver was slow.
    if (!this.#busy) this.next.flush();
  }

  #ended(): void {
    if (this.#over) return;
    const error = this.checkEnd(this.#coder!);
    if (error !== null || !this.#ending) {
      this.failed(error ?? this.refused(new Error('bytes after the end')));
      return;
    }
    this.abort();
    // The source's connection is free before the next request comes.
    this.#resumePrevious();
    const trailers = this.#trailers;
    if (trailers !== null) removeDigests(trailers);
    this.next.end(trailers);
  }
}

function workOf(filter: CodingFilter): void {
  filter.work();
}
