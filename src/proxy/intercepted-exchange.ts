/** The downstream side of an exchange that a policy has intercepted. Hot, where there is such a policy. */
import type { GatewayError } from '../kit/errors.ts';
import type { Subrequest, ResponseWriter, Interceptor } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { type BodySource, ResponseHead } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import type { RequestHandler } from './request-handler.ts';

export class InterceptedExchange implements ResponseWriter {
  readonly holder: Interceptor;
  readonly #handler: RequestHandler;

  constructor(handler: RequestHandler, holder: Interceptor) {
    this.#handler = handler;
    this.holder = holder;
  }

  get x(): Exchange {
    return this.#handler.x;
  }

  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    return this.#handler.subrequest(x, stream);
  }

  answer(response: LocalReply | CachedReply): void {
    this.#handler.answer(response);
  }

  informational(status: number, reason: string, fields: Fields): void {
    this.#handler.stream.informational(status, reason, fields);
  }

  head(head: ResponseHead, source: BodySource): void {
    const { x, stream } = this.#handler;
    x.status = head.status;
    x.response = head;
    this.#handler.runResponseFilters(head.fields);
    stream.head(head, source);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#handler.stream.data(bytes, start, end);
  }

  flush(): void {
    this.#handler.stream.flush();
  }

  end(trailers: Fields | null): void {
    this.#handler.settle();
    this.#handler.stream.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#handler.refuse(error);
  }
}

/** A cached reply after the response filters of the policies in front of the cache have run on its fields. */
export function filteredReply(stored: CachedReply, handler: RequestHandler): CachedReply {
  const fields = Fields.ofLines(stored.lines);
  handler.x.response = new ResponseHead(stored.status, stored.reason, fields, stored.length);
  handler.runResponseFilters(fields);
  return stored.under(fields.lines());
}
