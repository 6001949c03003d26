/**
 * A second attempt beside a slow first one: whichever answers first is passed on, the other is given up. Hot for pools that
 * hedge (Dean and Barroso, The Tail at Scale, 2013).
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { Framing, ResponseSink } from '../http/message.ts';
import type { Transport } from '../net/transport.ts';
import type { Attempt } from './attempt.ts';
import type { Forwarding } from './forwarding.ts';

/** Takes one attempt's response: nothing of it is passed on until it has won. */
export class Contender implements ResponseSink {
  readonly #forwarding: Forwarding;
  readonly #attempt: Attempt;
  readonly #passage: ResponseSink;

  constructor(forwarding: Forwarding, attempt: Attempt) {
    this.#forwarding = forwarding;
    this.#attempt = attempt;
    this.#passage = forwarding.passage;
  }

  informational(status: number, fields: Fields): void {
    if (this.#forwarding.alone) this.#passage.informational(status, fields);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    this.#forwarding.won(this.#attempt);
    this.#passage.head(status, reason, fields, framing);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#passage.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#passage.end(trailers);
  }

  fail(error: GatewayError): void {
    this.#forwarding.attemptFailed(this.#attempt, error);
  }

  flush(): void {
    if (this.#forwarding.alone) this.#passage.flush();
  }

  /** Requests that ask for a change of protocols are not hedged, and an unasked one is refused before it comes here. */
  switched(fields: Fields, transport: Transport): void {
    giveFields(fields);
    transport.destroy();
  }
}
