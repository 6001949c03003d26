/** The client's side of an exchange that a policy has taken over. Hot, where there is such a policy. */
import type { GatewayError } from '../kit/errors.ts';
import type { Subrequest, ResponseWriter, Interceptor } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { BodySource, Framing } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import type { Passage } from './passage.ts';

export class TakenCourse implements ResponseWriter {
  readonly holder: Interceptor;
  readonly #passage: Passage;

  constructor(passage: Passage, holder: Interceptor) {
    this.#passage = passage;
    this.holder = holder;
  }

  get x(): Exchange {
    return this.#passage.x;
  }

  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    return this.#passage.branch(x, stream);
  }

  answer(response: LocalReply | CachedReply): void {
    this.#passage.answer(response);
  }

  informational(status: number, reason: string, fields: Fields): void {
    this.#passage.stream.informational(status, reason, fields);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing, source: BodySource): void {
    const { x, stream } = this.#passage;
    x.status = status;
    x.responseFields = fields;
    this.#passage.dress(fields);
    stream.head(status, reason, fields, framing, source);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#passage.stream.data(bytes, start, end);
  }

  flush(): void {
    this.#passage.stream.flush();
  }

  end(trailers: string): void {
    this.#passage.settle();
    this.#passage.stream.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#passage.refuse(error);
  }
}

/** A stored response under the fields that the policies before the cache make of its own. */
export function dressed(stored: CachedReply, passage: Passage): CachedReply {
  const fields = Fields.ofLines(stored.lines);
  passage.x.responseFields = fields;
  passage.dress(fields);
  return stored.under(fields.lines());
}
