/**
 * One reload as it is seen from outside: what set it off, the phases that it has reached, how it ended. Cold.
 *
 *     seen ─▶ parsed ─▶ validated ─▶ planned ─▶ tested ─▶ bound ─▶ active ─▶ drained
 *
 * Made and led on by the reloader, kept by reloads.ts, shown by the admin pages. It does nothing itself.
 */
import type { Problem } from '../../config/problem.ts';
import type { Clock } from '../../kit/clock.ts';
import type { ReloadReason, ReloadResult } from '../../observe/metrics.ts';
import type { Passed, Stage } from '../compile/compile.ts';

/** `seen`: it is its turn, for the second time if it was refused at first. `bound`: all that can fail has succeeded. `drained`: nothing runs on an older config any more. */
export type Phase = 'seen' | Stage | 'bound' | 'active' | 'drained';

/** What set it off. `held` and `last_good`: a start by an entry of the history. */
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
  /** How long it took to get there from the one before. */
  readonly ms: number;
}

/** What the admin pages show. */
export interface ReloadView {
  readonly id: string;
  readonly trigger: Trigger;
  readonly result: 'pending' | ReloadResult;
  /** Why it failed; '' if it did not. */
  readonly reason: '' | ReloadReason;
  /** When it was asked for: ISO time. */
  readonly at: string;
  /** Over all that was read; '' before that. */
  readonly digest: string;
  /** That is in effect after it. */
  readonly generation: number;
  /** Until it was in effect, or refused. */
  readonly duration_ms: number;
  readonly phases: readonly ReachedPhase[];
  /** Of what is in effect, warnings alone. */
  readonly problems: readonly Problem[];
  /** Problems that were too many to be kept. */
  readonly problems_left_out: number;
  /** Why it failed, as text for people; '' if it did not. */
  readonly problem: string;
  /** What is in effect with these warnings, as text for people; '' if there are none. */
  readonly warning: string;
  /** What it changed, in short. */
  readonly changes: string;
}

/** What is wrong, why it was found to be so, and the same as people read it. */
export interface Refusal {
  readonly reason: ReloadReason;
  readonly problems: readonly Problem[];
  /** Further ones. */
  readonly leftOut?: number;
  readonly report: string;
}

/** Problems that are kept, and characters of their text: a file can have any number of them. */
const MOST_PROBLEMS = 100;
const LONGEST_REPORT = 64 * 1024;

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;

export class Reload {
  /** '' until somebody sees it. */
  id = '';
  trigger: Trigger;
  digest = '';
  generation = 0;
  changes = '';
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
  /** Nobody keeps it any more: it comes to no end that anybody would be told of. */
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

  /** It is its turn; called again if it has to be read once more. */
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

  /** What it has passed elsewhere. The rest of the time that this took counts with the next phase. */
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

  /** It is in effect, or what is in effect means the same. */
  succeed(result: 'applied' | 'unchanged', generation: number): void {
    this.#result = result;
    this.generation = generation;
    const active = this.#reached('active');
    this.#duration = this.#mark - this.#asked;
    this.#note(active);
  }

  /** `generation`: that goes on. */
  fail({ reason, problems, leftOut = 0, report }: Refusal, generation: number): void {
    this.#result = 'failed';
    this.generation = generation;
    this.#duration = this.#clock.now() - this.#asked;
    this.#keep(problems, leftOut);
    this.#warning = '';
    this.#refusal = { reason, problems: this.#problems, report: shortened(report) };
  }

  /** What was read has these warnings, and none that keep it from taking effect. */
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

  /** It has come to its end, and all that will be known of it but for when it is drained is known. */
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

  /** `listener` is told each phase, and null when there is something else to look at. Answers with how to stop listening. */
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
    };
  }
}

/** Whole lines of it. */
function shortened(report: string): string {
  if (report.length <= LONGEST_REPORT) return report;
  const end = report.lastIndexOf('\n', LONGEST_REPORT);
  return `${report.slice(0, end > 0 ? end : LONGEST_REPORT)}\n… and more`;
}
