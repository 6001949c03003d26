/** A body filter of code that the gateway does not know: an error in it ends its exchange and nothing else. Hot where used. */
import type { GatewayError } from '../kit/errors.ts';
import { BodyFilter } from './body-filter.ts';
import type { Fields } from './fields.ts';
import type { BodySource } from './message.ts';

export class GuardedFilter extends BodyFilter {
  readonly #inner: BodyFilter;
  readonly #error: GatewayError;
  readonly #note: (error: unknown) => void;
  /** Leads to the source that there is at the moment. */
  readonly #source: BodySource = { pause: () => this.previous.pause(), resume: () => this.previous.resume() };
  /** The inner filter is told nothing more. */
  #over = false;

  /** `error`: what the exchange ends with; `note` is called with what the filter throws. */
  constructor(inner: BodyFilter, error: GatewayError, note: (error: unknown) => void) {
    super();
    this.#inner = inner;
    this.#error = error;
    this.#note = note;
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#over) return true;
    try {
      this.#join();
      // A filter in JavaScript may return nothing, which is no wish to wait.
      const ready: unknown = this.#inner.data(bytes, start, end);
      return ready !== false;
    } catch (error) {
      this.#failed(error);
      return true;
    }
  }

  end(trailers: Fields | null): void {
    this.#run(() => this.#inner.end(trailers));
  }

  override flush(): void {
    this.#run(() => this.#inner.flush());
  }

  override pause(): void {
    this.#run(() => this.#inner.pause());
  }

  override resume(): void {
    this.#run(() => this.#inner.resume());
  }

  override abort(): void {
    if (this.#over) return;
    this.#over = true;
    try {
      this.#inner.abort();
    } catch (error) {
      this.#note(error);
    }
  }

  #run(call: () => void): void {
    if (this.#over) return;
    try {
      this.#join();
      call();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The inner filter has the neighbours of this one. */
  #join(): void {
    const inner = this.#inner;
    inner.next = this.next;
    inner.previous = this.#source;
    inner.owner = this.owner;
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#note(error);
    this.abort();
    this.owner.filterFailed(this.#error);
  }
}
