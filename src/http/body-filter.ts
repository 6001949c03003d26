/**
 * One filter of one body: takes parts from the source before it, gives parts to the sink behind it. Hot where used.
 *
 * A policy's `response` or `forward` hook returns one if it wants to see or change the body or the trailers. An exchange
 * without body filters passes its bodies from codec to codec. A filter that takes its time (another thread works on the
 * part) returns `false` from `data` and later calls `this.previous.resume()`; until then the bytes stay valid, but the
 * rest of the same read, and the end, may still be delivered. So a filter buffers at most one read besides its own work.
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Fields } from './fields.ts';
import type { BodySink, BodySource } from './message.ts';

/** The exchange of a filter. */
export interface FilterOwner {
  /** Ends the exchange: the client gets the error's status, or a broken response if that has begun. */
  filterFailed(error: GatewayError): void;
}

export abstract class BodyFilter implements BodySink, BodySource {
  /* The chain sets these before the first part arrives. */
  next!: BodySink;
  previous!: BodySource;
  owner!: FilterOwner;

  abstract data(bytes: Buffer, start: number, end: number): boolean;
  abstract end(trailers: Fields | null): void;

  /** The body will never be complete. Called at most once, and nothing follows. */
  fail(error: GatewayError): void {
    // That of a module may be async, by mistake.
    const aborted: unknown = this.abort();
    if (aborted instanceof Promise) aborted.catch(ignore);
    this.next.fail(error);
  }

  /** The current read is used up: what has been buffered for one write is passed on. */
  flush(): void {
    this.next.flush();
  }

  /** Called by the sink behind it: stop for now. */
  pause(): void {
    this.previous.pause();
  }

  /** Called by the sink behind it: it can take more. */
  resume(): void {
    this.previous.resume();
  }

  /** The exchange is over: the filter frees what it still has. Nothing is called afterwards. */
  abort(): void {}
}

function ignore(): void {}
