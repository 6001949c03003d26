/**
 * A second attempt beside a slow first one: whichever answers first is passed on, the other is given up. Hot for pools that
 * hedge (Dean and Barroso, The Tail at Scale, 2013).
 */
import type { Timer } from '../kit/clock.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { Framing, ResponseSink } from '../http/message.ts';
import type { Transport } from '../net/transport.ts';
import { Attempt } from './attempt.ts';
import type { Forwarding } from './forwarding.ts';
import type { Passage } from './passage.ts';

/** The attempts of one exchange that run side by side: a first one and, once that has proved slow, a rival. */
export class Race {
  readonly #forwarding: Forwarding;
  #rival: Attempt | null = null;
  /** Until there is one. */
  #timer: Timer | null;

  /** `delay`: ms that the first attempt has for itself. */
  constructor(forwarding: Forwarding, first: Attempt, delay: number) {
    this.#forwarding = forwarding;
    first.sink = new Contender(this, first, forwarding.passage);
    this.#timer = forwarding.passage.live.shared.clock.after(delay, () => this.#hedge());
  }

  /** Is there only one attempt? */
  get alone(): boolean {
    return this.#rival === null;
  }

  /** The first attempt is slow: a second one, elsewhere. */
  #hedge(): void {
    this.#timer = null;
    const { attempt: first, pool, passage } = this.#forwarding;
    if (first === null) return;
    const endpoint = pool.pick(passage.x, [first.endpoint]);
    if (endpoint === null || !this.#forwarding.withinBudget()) return;
    pool.load.metrics.hedges++;
    const rival = new Attempt(this.#forwarding, endpoint, true, false);
    rival.sink = new Contender(this, rival, passage);
    this.#rival = rival;
    rival.start();
  }

  /** This one was the first to answer: the other is not needed. */
  won(attempt: Attempt): void {
    this.#timer?.cancel();
    this.#timer = null;
    const rival = this.#rival;
    if (rival === null) return;
    this.#rival = null;
    const { attempt: first, pool } = this.#forwarding;
    this.#become(attempt);
    if (attempt === rival) {
      pool.load.metrics.hedgesWon++;
      first!.abort();
    } else rival.abort();
  }

  /** This one failed. Answers whether the other may still answer. */
  lost(attempt: Attempt, error: GatewayError): boolean {
    const rival = this.#rival;
    if (rival === null) {
      this.#timer?.cancel();
      this.#timer = null;
      return false;
    }
    this.#rival = null;
    if (attempt !== rival) this.#become(rival);
    attempt.failed(error);
    return true;
  }

  #become(attempt: Attempt): void {
    this.#forwarding.attempt = attempt;
    this.#forwarding.passage.x.endpoint = attempt.endpoint.address.text;
  }

  stop(): void {
    this.#rival?.abort();
    this.#rival = null;
    this.#timer?.cancel();
    this.#timer = null;
  }
}

/** Takes one attempt's response: nothing of it is passed on until it has won. */
class Contender implements ResponseSink {
  readonly #race: Race;
  readonly #attempt: Attempt;
  readonly #passage: Passage;

  constructor(race: Race, attempt: Attempt, passage: Passage) {
    this.#race = race;
    this.#attempt = attempt;
    this.#passage = passage;
  }

  informational(status: number, reason: string, fields: Fields): void {
    if (this.#race.alone) this.#passage.informational(status, reason, fields);
  }

  head(status: number, reason: string, fields: Fields, framing: Framing): void {
    this.#race.won(this.#attempt);
    this.#passage.head(status, reason, fields, framing);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#passage.data(bytes, start, end);
  }

  end(trailers: string): void {
    this.#passage.end(trailers);
  }

  fail(error: GatewayError): void {
    if (!this.#race.lost(this.#attempt, error)) this.#passage.fail(error);
  }

  flush(): void {
    if (this.#race.alone) this.#passage.flush();
  }

  /** Requests that ask for a change of protocols are not hedged, and an unasked one is refused before it comes here. */
  switched(_: string, fields: Fields, transport: Transport): void {
    giveFields(fields);
    transport.destroy();
  }
}
