/**
 * Buffers the copy of a request for a mirror until it is complete and can be sent. Hot, where there is a mirror.
 *
 * It stands between the client's stream and the consumer of the request body, and forwards every byte. It stops copying
 * a body that grows too large.
 */
import type { Fields } from '../http/fields.ts';
import type { BodySink } from '../http/message.ts';
import type { OutgoingHead } from '../http/outgoing-head.ts';
import { ByteBlocks } from '../kit/byte-blocks.ts';
import type { MirrorResult } from '../observe/metrics.ts';
import type { MirrorPlan } from '../plan/types/traffic.ts';
import type { RequestBody } from './replay-body.ts';
import type { MirroredRequest, RequestCopy } from './listener-context.ts';
import { MirroredExchange, type MirrorTarget } from './mirrored-exchange.ts';

const NOTHING = Buffer.alloc(0);

/** The mirror that the copy is for. */
interface BufferingMirror extends MirrorTarget {
  readonly plan: MirrorPlan;
}

export class MirrorBuffer implements BodySink, RequestCopy {
  readonly #mirror: BufferingMirror;
  readonly #request: MirroredRequest;
  readonly #body: RequestBody;
  readonly #head: OutgoingHead;
  #sink: BodySink | null = null;
  /** null: the copy has been sent, or never will be. */
  #kept: ByteBlocks | null;

  constructor(mirror: BufferingMirror, request: MirroredRequest, body: RequestBody, head: OutgoingHead) {
    this.#mirror = mirror;
    this.#request = request;
    this.#body = body;
    this.#head = head;
    this.#kept = new ByteBlocks(request.x.bodyLength);
  }

  /** The request is forwarded. Without a body the copy is complete now. */
  begin(): void {
    if (this.#request.x.bodyLength === 0) this.#send(NOTHING, null);
  }

  get repeatable(): boolean {
    return this.#body.repeatable === true;
  }

  readBody(sink: BodySink): void {
    this.#sink = sink;
    // A further attempt reads it from its start.
    if (this.#kept !== null) this.#kept = new ByteBlocks(this.#request.x.bodyLength);
    this.#body.readBody(this);
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#kept !== null) {
      if (this.#kept.size + end - start > this.#mirror.plan.bodySize) this.#drop('too_large');
      else this.#kept.append(bytes, start, end);
    }
    return this.#sink!.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    // This comes first: when the request has been forwarded completely, its exchange may be over.
    if (this.#kept !== null) this.#send(this.#kept.whole(), trailers);
    this.#sink!.end(trailers);
  }

  fail(...[error]: Parameters<BodySink['fail']>): void {
    this.#sink!.fail(error);
  }

  flush(): void {
    this.#sink!.flush();
  }

  /** The exchange is over: no more of the request will arrive. */
  finished(): void {
    if (this.#kept !== null) this.#drop('incomplete');
  }

  #drop(result: MirrorResult): void {
    const { metrics } = this.#mirror;
    this.#kept = null;
    metrics.active--;
    metrics.results[result]++;
  }

  #send(body: Buffer, trailers: Fields | null): void {
    this.#kept = null;
    const { x, context } = this.#request;
    new MirroredExchange(this.#mirror, context.lease, this.#head, body, trailers).start(x);
  }
}
