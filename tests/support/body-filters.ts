/** A body filter's neighbours: a source that obeys, a sink that records and can be slow, an owner that notes the error. */
import type { GatewayError } from '../../src/kit/errors.ts';
import type { BodyFilter } from '../../src/http/body-filter.ts';
import type { Fields } from '../../src/http/fields.ts';

export class FilterBench {
  readonly filter: BodyFilter;
  /** What the sink was given, in order; data as its length. */
  readonly events: string[] = [];
  readonly parts: Buffer[] = [];
  trailers: Fields | null = null;
  error: GatewayError | null = null;
  /** The sink asks the filter to wait after each part. */
  slow = false;
  #resumed = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  readonly #heard = Promise.withResolvers<void>();

  constructor(filter: BodyFilter) {
    this.filter = filter;
    filter.next = {
      data: (bytes, start, end) => {
        this.parts.push(Buffer.from(bytes.subarray(start, end)));
        this.events.push('data');
        this.#heard.resolve();
        return !this.slow;
      },
      end: (trailers) => {
        this.trailers = trailers;
        this.events.push('end');
        this.#over.resolve();
      },
      fail: (error) => {
        this.error = error;
        this.events.push('fail');
        this.#over.resolve();
      },
      flush: () => {
        if (this.events.at(-1) === 'data') this.events.push('flush');
      },
    };
    filter.previous = { pause: () => {}, resume: () => this.#resumed.resolve() };
    filter.owner = {
      filterFailed: (error) => {
        this.error = error;
        this.#over.resolve();
      },
    };
  }

  get output(): Buffer {
    return Buffer.concat(this.parts);
  }

  /** Gives one read, as a codec does. Returns when the filter wants more, or has failed. */
  async write(bytes: Buffer): Promise<void> {
    this.#resumed = Promise.withResolvers();
    const ready = this.filter.data(bytes, 0, bytes.length);
    this.filter.flush();
    if (!ready) await Promise.race([this.#resumed.promise, this.#over.promise]);
  }

  /** Ends the body. Returns when the filter has ended or failed. */
  async end(trailers: Fields | null = null): Promise<void> {
    this.filter.end(trailers);
    await this.#over.promise;
  }

  /** Gives a whole body in parts to a sink that takes one part at a time. Returns how many it took until it stood still. */
  async runSlowly(parts: readonly Buffer[]): Promise<number> {
    this.slow = true;
    let given = 0;
    const fed = (async () => {
      for (const part of parts) {
        await this.write(part);
        given++;
      }
      await this.end();
    })();
    await this.#heard.promise;
    // So many turns of the loop that all jobs would be done.
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
    const [stoodAt, passed] = [given, this.parts.length];
    if (passed !== 1) throw new Error(`${passed} parts were passed on to a sink that had said to wait`);
    while (this.events.at(-1) !== 'end') {
      this.filter.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await fed;
    return stoodAt;
  }

  /** Gives a whole body in parts. */
  async run(parts: readonly Buffer[]): Promise<this> {
    for (const part of parts) if (this.error === null) await this.write(part);
    if (this.error === null) await this.end();
    return this;
  }
}

/** The parts of a body, each of `size` bytes. */
export function partsOf(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.subarray(i * size, (i + 1) * size));
}
