/**
 * One reload as seen from outside: its trigger, the phases it has reached and its result. Cold.
 *
 *     seen ─▶ parsed ─▶ validated ─▶ planned ─▶ tested ─▶ bound ─▶ active ─▶ drained
 *
 * The reloader creates and advances it, reloads.ts keeps it, and the admin pages show it. It does no work itself.
 */
import type { Problem } from '../../config/problem.ts';
import type { Clock } from '../../kit/clock.ts';
import type { ForgottenAdminState } from '../../plan/diff/forgotten.ts';
import type { ReloadReason, ReloadResult } from '../../observe/metrics.ts';
import type { Passed, Stage } from '../compile/compile.ts';

/**
 * `seen`: its turn has come, for the second time if the first reading was refused. `bound`: every step that can fail
 * has succeeded. `drained`: no lease runs on an older config.
 */
export type Phase = 'seen' | Stage | 'bound' | 'active' | 'drained';

/** The cause of a reload. `held` and `last_good`: a start from a history entry. */
export type Trigger =
  | 'start'
  | 'held'
  | 'last_good'
  | 'watch'
  | 'poll'
  | 'sighup'
  | 'admin'
  | 'cli'
  | 'push'
  | 'rollback'
  | 'lift';

export interface ReachedPhase {
  readonly phase: Phase;
  /** ISO time. */
  readonly at: string;
  /** The time since the previous phase. */
  readonly ms: number;
}

/** The form that the admin pages show. */
export interface ReloadView {
  readonly id: string;
  readonly trigger: Trigger;
  readonly result: 'pending' | ReloadResult;
  /** The reason of a failure; '' if it did not fail. */
  readonly reason: '' | ReloadReason;
  /** When it was requested: ISO time. */
  readonly at: string;
  /** Covers everything read; '' before that. */
  readonly digest: string;
  /** The generation in effect after the reload. */
  readonly generation: number;
  /** The time until it took effect or was refused. */
  readonly duration_ms: number;
  readonly phases: readonly ReachedPhase[];
  /** For a config in effect, only warnings. */
  readonly problems: readonly Problem[];
  /** The number of problems beyond the limit. */
  readonly problems_left_out: number;
  /** The reason of a failure as text for people; '' if it did not fail. */
  readonly problem: string;
  /** The warnings of the config in effect as text for people; '' if there are none. */
  readonly warning: string;
  /** A short summary of the changes. */
  readonly changes: string;
  /** Endpoints that an operator had drained or disabled and whose admin state was lost. */
  readonly forgets: readonly ForgottenAdminState[];
}

/** The problems of a refused config, the reason of the refusal, and a report for people. */
export interface Refusal {
  readonly reason: ReloadReason;
  readonly problems: readonly Problem[];
  /** The number of further problems. */
  readonly leftOut?: number;
  readonly report: string;
}

/** Limits on the problems kept and on the characters of their text: a file can have any number of them. */
const MOST_PROBLEMS = 100;
const LONGEST_REPORT = 64 * 1024;

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

export class Reload {
  /** '' until the reload is visible. */
  id = '';
  trigger: Trigger;
  digest = '';
  generation = 0;
  changes = '';
  forgets: readonly ForgottenAdminState[] = [];
  #result: ReloadView['result'] = 'pending';
  #refusal: Refusal | null = null;
  #problems: readonly Problem[] = [];
  #warning = '';
  #leftOut = 0;
  readonly #clock: Clock;
  readonly #at: number;
  readonly #asked: number;
  readonly #phases: ReachedPhase[] = [];
  /** When the last phase was reached. */
  #mark: number;
  #duration: number | null = null;
  #settled = false;
  /** No longer kept: its end is not reported. */
  #forgotten = false;
  readonly #listeners = new Set<(phase: ReachedPhase | null) => void>();

  constructor(trigger: Trigger, clock: Clock) {
    this.trigger = trigger;
    this.#clock = clock;
    this.#at = clock.wall();
    this.#asked = clock.now();
    this.#mark = this.#asked;
  }

  get result(): ReloadView['result'] {
    return this.#result;
  }

  get reason(): '' | ReloadReason {
    return this.#refusal?.reason ?? '';
  }

  get phases(): readonly ReachedPhase[] {
    return this.#phases;
  }

  get duration(): number {
    return this.#duration ?? this.#clock.now() - this.#asked;
  }

  /** Starts its turn; called again if the file has to be read again. */
  begin(): void {
    this.#mark = this.#asked;
    const seen = this.#reached('seen');
    if (this.#phases.length === 0) this.#note(seen);
    else this.#phases[0] = seen;
  }

  reach(phase: Phase): void {
    this.#note(this.#reached(phase));
  }

  #reached(phase: Phase): ReachedPhase {
    const now = this.#clock.now();
    const ms = rounded(now - this.#mark);
    this.#mark = now;
    return { phase, at: new Date(this.#clock.wall()).toISOString(), ms };
  }

  /** Records stages passed in another process. The rest of the elapsed time counts toward the next phase. */
  passed(stages: readonly Passed[]): void {
    for (const { stage, at, ms } of stages) {
      this.#note({ phase: stage, at: new Date(at).toISOString(), ms: rounded(ms) });
      this.#mark += ms;
    }
  }

  #note(phase: ReachedPhase): void {
    this.#phases.push(phase);
    this.#tell(phase);
  }

  /** The config is in effect, or means the same as the one in effect. */
  succeed(result: 'applied' | 'unchanged', generation: number): void {
    this.#result = result;
    this.generation = generation;
    const active = this.#reached('active');
    this.#duration = this.#mark - this.#asked;
    this.#note(active);
  }

  /** `generation`: the one that stays in effect. */
  fail({ reason, problems, leftOut = 0, report }: Refusal, generation: number): void {
    this.#result = 'failed';
    this.generation = generation;
    this.#duration = this.#clock.now() - this.#asked;
    this.#keep(problems, leftOut);
    this.#warning = '';
    this.#refusal = { reason, problems: this.#problems, report: shortened(report) };
  }

  /** The config has these warnings and no errors. */
  warn({ problems, leftOut = 0, report }: Pick<Refusal, 'problems' | 'leftOut' | 'report'>): void {
    this.#keep(problems, leftOut);
    this.#warning = shortened(report);
  }

  #keep(problems: readonly Problem[], leftOut: number): void {
    this.#problems = problems.slice(0, MOST_PROBLEMS);
    this.#leftOut = leftOut + problems.length - this.#problems.length;
  }

  /** Whether there is nothing left to wait for. */
  has(phase: 'active' | 'drained'): boolean {
    if (this.#forgotten) return true;
    if (!this.#settled) return false;
    return phase === 'active' || this.#result === 'failed' || this.#phases.at(-1)?.phase === 'drained';
  }

  /** The reload has ended. Only the time of its draining is still unknown. */
  settle(): void {
    this.#settled = true;
    this.#tell(null);
  }

  forget(): void {
    this.#forgotten = true;
    this.#tell(null);
  }

  /** For leak checks. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /**
   * Calls `listener` with each phase, and with null when another part of the view changed. Returns a function that
   * stops it.
   */
  listen(listener: (phase: ReachedPhase | null) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(phase: ReachedPhase | null): void {
    for (const listener of this.#listeners) listener(phase);
  }

  get view(): ReloadView {
    return {
      id: this.id,
      trigger: this.trigger,
      result: this.#result,
      reason: this.reason,
      at: new Date(this.#at).toISOString(),
      digest: this.digest,
      generation: this.generation,
      duration_ms: rounded(this.duration),
      phases: [...this.#phases],
      problems: this.#problems,
      problems_left_out: this.#leftOut,
      problem: this.#refusal?.report ?? '',
      warning: this.#warning,
      changes: this.changes,
      forgets: this.forgets,
    };
  }
}

/** Shortens a report to whole lines. */
function shortened(report: string): string {
  if (report.length <= LONGEST_REPORT) return report;
  const end = report.lastIndexOf('\n', LONGEST_REPORT);
  return `${report.slice(0, end > 0 ? end : LONGEST_REPORT)}\n… and more`;
}
