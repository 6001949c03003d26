/**
 * A whole request body in memory, read before an endpoint is chosen. Hot for the requests of routes that buffer.
 *
 *     reading ──▶ complete: readBody sends it, as often as it is asked to
 *        └──────▶ refused: it is larger than allowed, or the gateway's memory for bodies is full
 *
 * While it reads, it is the sink of the client's stream. Complete, it is the source of the request body for the upstream.
 */
import { Fields } from '../http/fields.ts';
import type { Exchange } from '../http/exchange.ts';
import { EXPECT, TRANSFER_ENCODING } from '../http/known.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { type BodySink, HTTP_1_0, UNKNOWN_LENGTH } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import { ByteBlocks } from '../kit/byte-blocks.ts';
import type { MemoryBudget } from '../kit/memory-budget.ts';
import { BODY_TOO_LARGE, BUFFERS_FULL, type GatewayError } from '../kit/errors.ts';
import { BlocksBody } from './blocks-body.ts';
import { errorReply } from './local-replies.ts';
import type { RequestBody } from './replay-body.ts';

export class BufferedBody implements BodySink, RequestBody {
  /** It can be read again from its start. */
  readonly repeatable = true;
  readonly #memory: MemoryBudget;
  readonly #limit: number;
  /** Called once, unless the body fails; null: it is complete. Then null here. */
  #done: ((error: GatewayError | null) => void) | null;
  #content: ByteBlocks;
  /** Sends the complete body; null: it is not complete, or no longer there. */
  #sender: BlocksBody | null = null;

  /** `length`: as announced, or UNKNOWN_LENGTH. `limit`: bytes. */
  constructor(memory: MemoryBudget, length: number, limit: number, done: (error: GatewayError | null) => void) {
    this.#memory = memory;
    this.#content = new ByteBlocks(length, (bytes) => memory.take(bytes));
    this.#limit = limit;
    this.#done = done;
  }

  /** Bytes that have arrived. */
  get size(): number {
    return this.#content.size;
  }

  // === reading (BodySink)

  data(bytes: Buffer, start: number, end: number): boolean {
    if (this.#done === null) return false;
    if (this.#content.size + end - start > this.#limit) return this.#refuse(BODY_TOO_LARGE);
    return this.#content.append(bytes, start, end) || this.#refuse(BUFFERS_FULL);
  }

  #refuse(error: GatewayError): boolean {
    const done = this.#done!;
    this.dispose();
    done(error);
    return false;
  }

  end(trailers: Fields | null): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    this.#sender = new BlocksBody(this.#content, trailers);
    done(null);
  }

  fail(): void {
    this.dispose();
  }

  flush(): void {}

  // === sending (RequestBody)

  readBody(sink: BodySink): void {
    this.#sender?.readBody(sink);
  }

  pause(): void {
    this.#sender?.pause();
  }

  resume(): void {
    this.#sender?.resume();
  }

  /** Sends the same bytes at a pace of its own, without trailers; null: the body is not complete. */
  copy(): BlocksBody | null {
    return this.#sender === null ? null : new BlocksBody(this.#content, null);
  }

  /** The exchange is over: the memory is free again. */
  dispose(): void {
    this.#done = null;
    this.#sender?.stop();
    this.#sender = null;
    this.#memory.give(this.#content.occupied);
    this.#content = new ByteBlocks(0);
  }
}

/**
 * Reads the request's body. `done` gets the reply that refuses the request, or undefined when the body is complete; it is
 * not called if the client leaves first.
 */
export function bufferedBody(
  x: Exchange,
  stream: ServerStream,
  source: RequestBody,
  memory: MemoryBudget,
  limit: number,
  done: (refusal: LocalReply | undefined) => void,
): BufferedBody {
  const body = new BufferedBody(memory, x.bodyLength, limit, (error) => {
    if (error === null) knowLength(x, body.size);
    done(error === null ? undefined : errorReply(x, error));
  });
  // RFC 9110 §10.1.1: no backend is asked before the body is there, so the gateway sends the 100.
  if (x.version !== HTTP_1_0 && x.fields.has(EXPECT)) stream.informational(100, 'Continue', new Fields());
  source.readBody(body);
  return body;
}

function knowLength(x: Exchange, size: number): void {
  if (x.bodyLength === UNKNOWN_LENGTH) {
    x.bodyLength = size;
    x.fields.removeKnown(TRANSFER_ENCODING);
    x.fields.set('Content-Length', String(size));
  }
  x.fields.removeKnown(EXPECT);
}
