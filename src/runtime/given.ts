/**
 * A config that somebody gives to the reloader, beside what the files say: it waits for its turn like every reload and is
 * compiled, tested and applied like one. Cold.
 */
import type { Problem } from '../config/problem.ts';
import type { ReloadReason } from '../observe/metrics.ts';
import type { Compiled } from './compile.ts';
import type { Refusal, Trigger } from './reload.ts';

export interface Given {
  readonly trigger: Trigger;
  /** Texts that stand for what is in the files of these absolute paths. */
  readonly texts: ReadonlyMap<string, string>;
  /** At its turn, before anything is read. Throws a RefusedError if it can't be any more. */
  admit(): void;
  /** What it means is known, and all is well with it. Throws a RefusedError if it can't be all the same. */
  judge(compiled: Compiled): void;
  /** Everything else that could fail has succeeded; after this it is current. Throws a RefusedError if it can't be. */
  seal(): Promise<void>;
}

export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(reason: ReloadReason, report: string, problems: readonly Problem[] = []) {
    super(report);
    this.name = 'RefusedError';
    this.refusal = { reason, problems, report };
  }
}
