/**
 * The health of one endpoint, and when it is tried again after a failure. Hot to query, rarely changed.
 *
 *     healthy ──failures──▶ failing ──retries fail──▶ open ──pause──▶ half_open ──failure──▶ open …
 *        ▲                     │ a trial succeeds                        │ a trial succeeds
 *        └─────────────────────┴──────────────────────────────────────────┘
 *
 * The pauses are first, 2 first, 4 first … max. After its pause an endpoint gets one trial request at a time, in turn
 * with the others. While no endpoint of the pool is healthy, pauses are ignored: the endpoint then gets as many trials
 * at a time as are left until its breaker opens, then one, and one more each second if those take longer. Active checks
 * and the operator's admin state are independent of this; all three must permit requests.
 */
import type { Clock } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { Deadlines } from '../net/deadlines.ts';
import type { HealthPlan } from '../plan/types/pool.ts';
import { DUE, HEALTHY, UNAVAILABLE } from './strategies/strategy.ts';

export type HealthState = 'healthy' | 'failing' | 'open' | 'half_open' | 'check_failed' | 'draining' | 'disabled';
/**
 * Set by an operator: `draining` finishes current work and takes nothing new; `disabled` also closes idle connections.
 */
export type AdminState = 'enabled' | 'draining' | 'disabled';
/** The kind of failure: only a success of the same kind proves recovery. */
type Cause = 'connect' | 'exchange';

/** Receives health changes, and bounds ejections. */
export interface HealthObserver {
  /** May one more endpoint of the pool be ejected for failed exchanges? */
  mayEject(maxEjectedPercent: number): boolean;
  changed(): void;
}

/** The smallest part of its share during slow start. */
const SMALLEST_SHARE = 0.1;

/** Milliseconds after which a pending trial permits another: the endpoint may be back while that one hangs. */
const TRY_EVERY = 1000;

export class Health {
  /** Failed trials in a row since it was healthy. */
  failures = 0;
  /** Monotonic ms from which it may be tried again. */
  retryAt = 0;
  /** The same as epoch ms, for display. */
  retryTime = 0;
  /** Epoch ms of its last state change. */
  since: number;
  /** Code of the last failure; '' if it has never failed. */
  lastError = '';
  /** What is known of it besides, or ''. */
  lastDetail = '';
  adminState: AdminState = 'enabled';
  /** Trial requests in progress. */
  trials = 0;
  /** Start of the last trial (monotonic ms). */
  #triedAt = 0;
  #cause: Cause = 'connect';
  /** Failed exchanges in a row while healthy. */
  #strikes = 0;
  /** Exchanges since the last comparison of success rates: complete successes, and failures. */
  #good = 0;
  #bad = 0;
  /** How often it was an outlier, minus how often it was not. */
  #relapses = 0;
  #checksFailed = false;
  /** Monotonic ms; 0: no slow start is in progress. */
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

  /** Does it still accept its sticky clients? A draining endpoint does. */
  get keeps(): boolean {
    return this.adminState === 'draining' ? this.failures === 0 && !this.#checksFailed : this.tier() === HEALTHY;
  }

  /** Is it out because of failed traffic, and for no other reason? */
  get failing(): boolean {
    return this.failures > 0 && !this.#checksFailed && this.adminState === 'enabled';
  }

  /** Would a successful connection prove its recovery? */
  get unreachable(): boolean {
    return this.failing && this.#cause === 'connect';
  }

  /** Was it ejected for failed exchanges? */
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

  /** A request is about to be sent. Returns whether it is a trial; if so, call `endTrial` afterwards. */
  beginTrial(): boolean {
    if (this.failures === 0) return false;
    this.trials++;
    this.#triedAt = this.#deadlines.now;
    return true;
  }

  endTrial(): void {
    this.trials--;
  }

  /** The current part of its weight, up to 1. */
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

  connectFailed(code: string, detail = ''): void {
    this.#note(code, detail);
    if (this.failures === 0) this.#cause = 'connect';
    this.#failed();
  }

  /** A connection succeeded: this proves recovery from connect failures. */
  connected(): void {
    if (this.failures > 0 && this.#cause === 'connect') this.#recovered();
  }

  /** A response head with this status arrived after `ms`. Returns whether it counts as a success. */
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
      // Until a response completes, one more failure ejects it again: the bodies may be what fails.
      if (exchanges) this.#strikes = this.#plan.passive.failures - 1;
    }
    return true;
  }

  /** A response whose head counted as a success is complete. */
  completed(): void {
    this.#strikes = 0;
    this.#good++;
  }

  /** The counts since the last call. */
  takeCounts(): { readonly good: number; readonly bad: number } {
    const counts = { good: this.#good, bad: this.#bad };
    this.#good = 0;
    this.#bad = 0;
    return counts;
  }

  /** Ejects it: its success rate is clearly below that of the others. The pause doubles each time. */
  fellBehind(): void {
    if (!this.#observer.mayEject(this.#plan.passive.maxEjected)) return;
    this.#note('success_rate', '');
    this.#cause = 'exchange';
    this.#failed();
    this.#relapses++;
  }

  /** Its success rate is like that of the others. */
  keptUp(): void {
    if (this.#relapses > 0) this.#relapses--;
  }

  /** A timeout, a reset, or an invalid response. */
  exchangeFailed(code: string, detail = ''): void {
    const { failures, maxEjected } = this.#plan.passive;
    this.#bad++;
    if (failures === 0) return;
    this.#note(code, detail);
    if (this.failures > 0) {
      // Requests sent before the ejection prove nothing new.
      if (this.trials > 0) this.#failed();
      return;
    }
    if (++this.#strikes < failures || !this.#observer.mayEject(maxEjected)) return;
    this.#cause = 'exchange';
    this.#failed();
  }

  /** A result of active checks; `code` is the reason. */
  checked(well: boolean, code: string, detail = ''): void {
    if (!well) this.#note(code, detail);
    // A check that connects proves what a trial request would.
    else if (this.failures > 0 && this.#cause === 'connect') this.#recovered();
    if (this.#checksFailed === !well) return;
    this.#checksFailed = !well;
    if (well) this.#warm();
    this.#tell();
  }

  #note(code: string, detail: string): void {
    this.lastError = code;
    this.lastDetail = detail;
  }

  command(adminState: AdminState): void {
    if (adminState === this.adminState) return;
    this.adminState = adminState;
    if (adminState === 'enabled') this.#warm();
    this.#tell();
  }

  /** Begins another pause, longer than the last. */
  #failed(): void {
    const { first, max, jitter } = this.#plan.backoff;
    const now = this.#deadlines.now;
    // Requests that were in progress at the failure fail with it: that is one failure.
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
    // A check may end an outage while no deadline is pending, and the deadlines' clock stands still then.
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
