/** The downstream side of an exchange that a policy has intercepted. Hot, where there is such a policy. */
import type { GatewayError } from '../kit/errors.ts';
import type { Subrequest, ResponseWriter, Interceptor } from '../http/interception.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Fields } from '../http/fields.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { BodySource, ResponseHead } from '../http/message.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import type { RespondingExchange } from './responding-exchange.ts';

export class InterceptedExchange implements ResponseWriter {
  readonly holder: Interceptor;
  readonly #taker: RespondingExchange;
  /** Its responses pass the response hooks from this index on. */
  readonly #hooksFrom: number;

  constructor(taker: RespondingExchange, holder: Interceptor, hooksFrom: number) {
    this.#taker = taker;
    this.holder = holder;
    this.#hooksFrom = hooksFrom;
  }

  get x(): Exchange {
    return this.#taker.x;
  }

  subrequest(x: Exchange, stream: ServerStream): Subrequest {
    return this.#taker.subrequest(x, stream);
  }

  answer(response: LocalReply | CachedReply): void {
    if (!this.#taker.over) this.#taker.answer(response);
  }

  informational(status: number, reason: string, fields: Fields): void {
    if (!this.#taker.over) this.#taker.stream.informational(status, reason, fields);
  }

  head(head: ResponseHead, source: BodySource): void {
    if (!this.#taker.over) this.#taker.respond(head, source, this.#hooksFrom);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#taker.over || this.#taker.data(bytes, start, end);
  }

  flush(): void {
    if (!this.#taker.over) this.#taker.flush();
  }

  end(trailers: Fields | null): void {
    if (!this.#taker.over) this.#taker.endResponse(trailers);
  }

  fail(error: GatewayError): void {
    if (!this.#taker.over) this.#taker.refuse(error);
  }
}
