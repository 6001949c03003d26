/** A request hook that takes its time: its promise, and its deadline. Hot where there is one. */
import type { Verdict } from '../http/interception.ts';
import { type GatewayError, INTERNAL, POLICY_TIMEOUT } from '../kit/errors.ts';
import { NOWHERE } from '../kit/places.ts';
import type { Clock } from '../kit/clock.ts';
import type { Deadlines, Timed } from '../net/deadlines.ts';

/** The exchange that waits for the hook. */
export interface HookWaiter {
  resume(verdict: Verdict): void;
  fail(error: GatewayError): void;
}

export class PendingHook implements Timed {
  /** Monotonic ms. */
  readonly deadline: number;
  timedPlace = NOWHERE;
  readonly #owner: HookWaiter;
  readonly #deadlines: Deadlines;

  /** `timeout`: ms; Infinity: no limit. */
  constructor(
    owner: HookWaiter,
    verdict: Promise<Verdict>,
    timeout: number,
    { clock, deadlines }: { readonly clock: Clock; readonly deadlines: Deadlines },
  ) {
    this.#owner = owner;
    this.#deadlines = deadlines;
    this.deadline = clock.now() + timeout;
    if (timeout !== Number.POSITIVE_INFINITY) deadlines.add(this);
    verdict.then(
      (late) => owner.resume(late),
      () => owner.fail(INTERNAL),
    );
  }

  onDeadline(): void {
    this.#owner.fail(POLICY_TIMEOUT);
  }

  /** It is not waited for any more. */
  over(): void {
    this.#deadlines.delete(this);
  }
}
