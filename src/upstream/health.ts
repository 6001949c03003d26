/**
 * Whether one endpoint is well, and when it is tried again if it is not. Hot to ask, rarely changed.
 *
 *     healthy ──failures──▶ failing ──retries fail──▶ open ──pause──▶ half_open ──failure──▶ open …
 *        ▲                     │ a try succeeds                          │ a try succeeds
 *        └─────────────────────┴──────────────────────────────────────────┘
 *
 * The pauses are first, 2 first, 4 first … max. An endpoint whose pause is over gets one request at a time in turn with the
 * others. While no endpoint of its pool is well, a pause keeps no request from it: it is tried by as many at a time as tries
 * are left until its breaker opens, then by one, and by one more each second if those take longer. Beside that stand what
 * active checks found and what an operator said; all three must agree that it may be asked.
 */
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { HealthPlan } from '../plan/types.ts';
import { DUE, HEALTHY, UNAVAILABLE } from './strategies/strategy.ts';

export type HealthState = 'healthy' | 'failing' | 'open' | 'half_open' | 'check_failed' | 'draining' | 'disabled';
/** What an operator said: `draining` keeps what runs and takes nothing new, `disabled` is the same and drops what is idle. */
export type AdminState = 'enabled' | 'draining' | 'disabled';
/** What made it fail, since only the like can prove that it is well again. */
type Cause = 'connect' | 'exchange';

/** Who is told of changes, and who bounds them. */
export interface HealthObserver {
  /** May one more endpoint of the pool be taken out for failed exchanges? */
  mayEject(maxEjectedPercent: number): boolean;
  changed(): void;
}

/** While it is started slowly its share is at least that part. */
const SMALLEST_SHARE = 0.1;

/** Milliseconds after which a try that has not ended makes room for another: the endpoint may be back while that one hangs. */
const TRY_EVERY = 1000;

export class Health {
  /** Tries that failed in a row since it was well. */
  failures = 0;
  /** Monotonic ms from which it may be tried again. */
  retryAt = 0;
  /** The same as epoch ms, for people. */
  retryTime = 0;
  /** Epoch ms of the last change of its state. */
  since: number;
  /** Code of the last failure, '' if it is well and always was. */
  lastError = '';
  adminState: AdminState = 'enabled';
  /** Requests under way that try whether it is well. */
  trials = 0;
  /** When the last of them began (monotonic ms). */
  #triedAt = 0;
  #cause: Cause = 'connect';
  /** Failed exchanges in a row while well. */
  #strikes = 0;
  /** Exchanges since rates were last compared: those that were whole and fine, and those that failed. */
  #good = 0;
  #bad = 0;
  /** Times that it fell behind, less those that it kept up. */
  #relapses = 0;
  #checksFailed = false;
  /** Monotonic ms; 0: it gets its whole share. */
  #warmingSince: number;
  #plan: HealthPlan;
  #told: HealthState = 'healthy';
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #random: Random;
  readonly #observer: HealthObserver;

  constructor(plan: HealthPlan, clock: Clock, deadlines: Deadlines, random: Random, observer: HealthObserver) {
    this.#plan = plan;
    this.#clock = clock;
    this.#deadlines = deadlines;
    this.#random = random;
    this.#observer = observer;
    this.since = clock.wall();
    this.#warmingSince = plan.slowStart > 0 ? clock.now() : 0;
  }

  get state(): HealthState {
    if (this.adminState !== 'enabled') return this.adminState;
    if (this.#checksFailed) return 'check_failed';
    if (this.failures === 0) return 'healthy';
    if (!this.#open) return 'failing';
    return this.trials > 0 || this.#deadlines.now >= this.retryAt ? 'half_open' : 'open';
  }

  get #open(): boolean {
    return this.failures > this.#plan.backoff.retries;
  }

  get well(): boolean {
    return this.failures === 0 && !this.#checksFailed && this.adminState === 'enabled';
  }

  /** Does it still take the clients that it had before? One that is draining does. */
  get keeps(): boolean {
    return this.adminState === 'draining' ? this.failures === 0 && !this.#checksFailed : this.tier() === HEALTHY;
  }

  /** Is it out because of what the traffic showed, and nothing else? */
  get failing(): boolean {
    return this.failures > 0 && !this.#checksFailed && this.adminState === 'enabled';
  }

  /** Would a connection show that it is well again? */
  get unreachable(): boolean {
    return this.failing && this.#cause === 'connect';
  }

  /** Was it taken out because of failed exchanges? */
  get ejected(): boolean {
    return this.failures > 0 && this.#cause === 'exchange';
  }

  /** HEALTHY, DUE or UNAVAILABLE. */
  tier(): number {
    if (this.#checksFailed || this.adminState !== 'enabled') return UNAVAILABLE;
    const { failures, trials } = this;
    if (failures === 0) return HEALTHY;
    const { now } = this.#deadlines;
    if (trials === 0 && now >= this.retryAt) return HEALTHY;
    const most = Math.max(1, this.#plan.backoff.retries + 1 - failures);
    return trials < most || now - this.#triedAt >= TRY_EVERY ? DUE : UNAVAILABLE;
  }

  /** A request is sent to it. Answers whether it is to show if the endpoint is well: `endTrial` is due then. */
  beginTrial(): boolean {
    if (this.failures === 0) return false;
    this.trials++;
    this.#triedAt = this.#deadlines.now;
    return true;
  }

  endTrial(): void {
    this.trials--;
  }

  /** The part of its weight that it gets now, up to 1. */
  get share(): number {
    if (this.#warmingSince === 0) return 1;
    const passed = (this.#deadlines.now - this.#warmingSince) / this.#plan.slowStart;
    if (passed < 1) return Math.max(SMALLEST_SHARE, passed);
    this.#warmingSince = 0;
    return 1;
  }

  tune(plan: HealthPlan): void {
    this.#plan = plan;
    if (plan.slowStart === 0) this.#warmingSince = 0;
    this.#tell();
  }

  connectFailed(code: string): void {
    this.lastError = code;
    if (this.failures === 0) this.#cause = 'connect';
    this.#failed();
  }

  /** A connection was made: all is well if that was what had failed. */
  connected(): void {
    if (this.failures > 0 && this.#cause === 'connect') this.#recovered();
  }

  /** A response head with this status came after so many ms. Answers whether that is fine. */
  answered(status: number, ms: number): boolean {
    const { latency, statuses } = this.#plan.passive;
    const slow = latency > 0 && ms > latency;
    if (slow || statuses.includes(status)) {
      this.exchangeFailed(slow ? 'slow' : `status_${status}`);
      return false;
    }
    if (this.failures > 0) {
      const exchanges = this.#cause === 'exchange';
      this.#recovered();
      // Until a whole response has come, one more failure takes it out again: it may be the bodies that break.
      if (exchanges) this.#strikes = this.#plan.passive.failures - 1;
    }
    return true;
  }

  /** The whole of a response came, and its head had been fine. */
  completed(): void {
    this.#strikes = 0;
    this.#good++;
  }

  /** What was counted since this was last asked. */
  takeCounts(): { readonly good: number; readonly bad: number } {
    const counts = { good: this.#good, bad: this.#bad };
    this.#good = 0;
    this.#bad = 0;
    return counts;
  }

  /** Clearly fewer of its exchanges succeed than of the others'. Each time its pause is twice as long as the last. */
  fellBehind(): void {
    if (!this.#observer.mayEject(this.#plan.passive.maxEjected)) return;
    this.lastError = 'success_rate';
    this.#cause = 'exchange';
    this.#failed();
    this.#relapses++;
  }

  /** Its exchanges succeed like the others'. */
  keptUp(): void {
    if (this.#relapses > 0) this.#relapses--;
  }

  /** A timeout, a reset, an answer that was none. */
  exchangeFailed(code: string): void {
    const { failures, maxEjected } = this.#plan.passive;
    this.#bad++;
    if (failures === 0) return;
    this.lastError = code;
    if (this.failures > 0) {
      // What was sent before it was taken out says nothing new.
      if (this.trials > 0) this.#failed();
      return;
    }
    if (++this.#strikes < failures || !this.#observer.mayEject(maxEjected)) return;
    this.#cause = 'exchange';
    this.#failed();
  }

  /** What active checks say; `code` is why. */
  checked(well: boolean, code: string): void {
    if (!well) this.lastError = code;
    // A check that connects proves what a request would have to find out.
    else if (this.failures > 0 && this.#cause === 'connect') this.#recovered();
    if (this.#checksFailed === !well) return;
    this.#checksFailed = !well;
    if (well) this.#warm();
    this.#tell();
  }

  command(adminState: AdminState): void {
    if (adminState === this.adminState) return;
    this.adminState = adminState;
    if (adminState === 'enabled') this.#warm();
    this.#tell();
  }

  /** Another pause, longer than the last. */
  #failed(): void {
    const { first, max, jitter } = this.#plan.backoff;
    const now = this.#deadlines.now;
    // Those that were under way when it failed fail with it: it is one failure.
    if (this.failures > 0 && now < this.retryAt) return;
    const pause = Math.min(max, first * 2 ** (this.failures + this.#relapses));
    this.failures++;
    this.#strikes = 0;
    const shortened = pause * (1 - (jitter / 100) * this.#random());
    this.retryAt = now + shortened;
    this.retryTime = this.#clock.wall() + shortened;
    this.#tell();
  }

  #recovered(): void {
    this.failures = 0;
    this.#strikes = 0;
    this.#warm();
    this.#tell();
  }

  #warm(): void {
    // A check may bring it back while nothing is timed: the time of deadlines stands still then.
    if (this.#plan.slowStart > 0) this.#warmingSince = this.#clock.now();
  }

  #tell(): void {
    const { state } = this;
    if (state === this.#told) return;
    this.#told = state;
    this.since = this.#clock.wall();
    this.#observer.changed();
  }
}
