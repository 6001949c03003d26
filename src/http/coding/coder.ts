/**
 * One of zlib's encoders or decoders, driven without the stream machinery around it. Hot.
 *
 *     run ─▶ a thread codes the part ─▶ owner.output(piece), as often as needed ─▶ owner.jobDone()
 *                                          false: the job stays where it is until `resume`
 *
 * Node offers zlib as Transform streams, whose making and end cost more than a small content. A coder calls the
 * stream's transform itself and takes what it pushes. So a job is one part with its flush flag, and an encoder that is
 * through can be used again. What it touches of Node's insides (the default flush flag; for `runAtOnce` the handle) has
 * been the same in every release since 12; tests/http/coding/coder.test.ts notices a change.
 */
import type { Transform } from 'node:stream';

export interface CoderOwner {
  /** Takes a piece of the output. Returns false to stop the job until `resume`. */
  output(piece: Buffer): boolean;
  /** The coder has used up its part and given all that it has of it. */
  jobDone(): void;
  /** Bytes follow the end of the coded content. */
  endedEarly(): void;
  coderFailed(error: Error): void;
}

interface ZlibStream extends Transform {
  _defaultFlushFlag: number;
  /** Output and input bytes that the last call left unused. */
  readonly _writeState: Uint32Array;
  coder: Coder;
  readonly _handle: {
    coder: Coder;
    writeSync(
      flush: number,
      input: Buffer,
      inputAt: number,
      inputLength: number,
      output: Buffer,
      outputAt: number,
      outputLength: number,
    ): void;
  };
  readonly bytesWritten: number;
  reset(): void;
}

const OUTPUT_SIZE = 32 * 1024;
/** Takes contents that are coded at once. */
let output = Buffer.allocUnsafeSlow(OUTPUT_SIZE);

/** The bytes that `runAtOnce` has returned last stay as they are. */
export function keepOutput(): void {
  output = Buffer.allocUnsafeSlow(OUTPUT_SIZE);
}

export class Coder {
  owner: CoderOwner | null = null;
  readonly #stream: ZlibStream;

  constructor(stream: Transform) {
    this.#stream = stream as ZlibStream;
    this.#stream.coder = this;
    this.#stream._handle.coder = this;
    stream.push = pushed;
    stream.on('error', failed);
  }

  /** Input bytes that have been used. */
  get used(): number {
    return this.#stream.bytesWritten;
  }

  /** Codes a part in another thread; `flush` is one of zlib's flags. `part` must not change until the job is done. */
  run(part: Buffer, flush: number): void {
    this.#stream._defaultFlushFlag = flush;
    this.#stream._transform(part, 'latin1', done);
  }

  /** Goes on with a job that `output` has stopped. */
  resume(): void {
    this.#stream._read(0);
  }

  /** Codes a whole content, bytes[start, end), on this thread; null if the result does not fit. The next call overwrites it. */
  runAtOnce(bytes: Buffer, start: number, end: number, finish: number): Buffer | null {
    const stream = this.#stream;
    stream._handle.writeSync(finish, bytes, start, end - start, output, 0, output.length);
    const left = stream._writeState[0]!;
    return left === 0 || stream.destroyed ? null : output.subarray(0, output.length - left);
  }

  /** Makes it ready for another content, with the same parameters. It must have no job. */
  reset(): void {
    this.owner = null;
    this.#stream.reset();
  }

  /** Frees it. If a thread is at work for it, that happens afterwards. */
  close(): void {
    this.owner = null;
    this.#stream.destroy();
  }
}

/* Constants, since V8 makes functions that are written where they are assigned old at once (docs/performance.md). */

/** The stream's `push`. */
function pushed(this: ZlibStream, piece: Buffer | null): boolean {
  const { owner } = this.coder;
  if (owner === null) return true;
  if (piece !== null) return owner.output(piece);
  owner.endedEarly();
  return false;
}

/** The callback of a transform, which zlib calls on its handle. */
function done(this: ZlibStream['_handle']): void {
  this.coder.owner?.jobDone();
}

function failed(this: ZlibStream, error: Error): void {
  this.coder.owner?.coderFailed(error);
}
