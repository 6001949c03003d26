/**
 * Hedging: a second attempt beside a slow first one. The first response is forwarded, the other attempt is aborted. Hot
 * for pools that hedge (Dean and Barroso, The Tail at Scale, 2013).
 */
import type { Timer } from '../kit/clock.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { Fields } from '../http/fields.ts';
import { giveFields } from '../http/fields-pool.ts';
import type { ResponseHead, ResponseSink } from '../http/message.ts';
import type { ByteStream } from '../net/byte-stream.ts';
import type { Pool } from '../upstream/pool.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { UpstreamRequestOwner } from './upstream-request-owner.ts';

/** The upstream request whose first attempt may be slow. */
export interface HedgedRequest extends AttemptOwner, ResponseSink {
  readonly owner: UpstreamRequestOwner;
  readonly pool: Pool;
  /** The attempt in progress; the hedge replaces it by the one that has won. */
  attempt: Attempt | null;
  /** The pool's retry budget allows one attempt more. */
  withinBudget(): boolean;
}

/** The attempts of one exchange that run in parallel: the first one and, once that has proved slow, a rival. */
export class Hedge {
  readonly #upstream: HedgedRequest;
  #rival: Attempt | null = null;
  /** Runs until the rival starts. */
  #timer: Timer | null;

  /** `delay`: ms that the first attempt runs alone. */
  constructor(upstream: HedgedRequest, first: Attempt, delay: number) {
    this.#upstream = upstream;
    first.sink = new Contender(this, first, upstream);
    this.#timer = upstream.owner.context.shared.clock.after(delay, () => this.#hedge());
  }

  /** Is there only one attempt? */
  get alone(): boolean {
    return this.#rival === null;
  }

  /** The first attempt is slow: starts a second one at another endpoint. */
  #hedge(): void {
    this.#timer = null;
    const { attempt: first, pool, owner } = this.#upstream;
    if (first === null) return;
    const endpoint = pool.pick(owner.x, [first.endpoint]);
    if (endpoint === null || !this.#upstream.withinBudget()) return;
    pool.load.metrics.hedges++;
    const rival = new Attempt(this.#upstream, this.#upstream, endpoint, true);
    rival.sink = new Contender(this, rival, this.#upstream);
    this.#rival = rival;
    rival.start(false);
  }

  /** This attempt received a response first: the other is aborted. */
  won(attempt: Attempt): void {
    this.#timer?.cancel();
    this.#timer = null;
    const rival = this.#rival;
    if (rival === null) return;
    this.#rival = null;
    const { attempt: first, pool } = this.#upstream;
    this.#become(attempt);
    if (attempt === rival) {
      pool.load.metrics.hedgesWon++;
      first!.abort();
    } else rival.abort();
  }

  /** This attempt failed. Returns whether the other is still running. */
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
    this.#upstream.attempt = attempt;
    this.#upstream.owner.x.endpoint = attempt.endpoint.address.text;
  }

  stop(): void {
    this.#rival?.abort();
    this.#rival = null;
    this.#timer?.cancel();
    this.#timer = null;
  }
}

/** Receives one attempt's response, and forwards nothing until that attempt has won. */
class Contender implements ResponseSink {
  readonly #race: Hedge;
  readonly #attempt: Attempt;
  readonly #upstream: HedgedRequest;

  constructor(race: Hedge, attempt: Attempt, upstream: HedgedRequest) {
    this.#race = race;
    this.#attempt = attempt;
    this.#upstream = upstream;
  }

  informational(status: number, reason: string, fields: Fields): void {
    if (this.#race.alone) this.#upstream.informational(status, reason, fields);
  }

  head(head: ResponseHead): void {
    this.#race.won(this.#attempt);
    this.#upstream.head(head);
  }

  data(bytes: Buffer, start: number, end: number): boolean {
    return this.#upstream.data(bytes, start, end);
  }

  end(trailers: Fields | null): void {
    this.#upstream.end(trailers);
  }

  fail(error: GatewayError): void {
    if (!this.#race.lost(this.#attempt, error)) this.#upstream.fail(error);
  }

  flush(): void {
    if (this.#race.alone) this.#upstream.flush();
  }

  /** Upgrade requests are not hedged, and the client connection refuses a 101 that no client asked for. */
  switched({ fields }: ResponseHead, stream: ByteStream): void {
    giveFields(fields);
    stream.destroy();
  }
}
