/**
 * Serves a history entry instead of the file: at a start, for a rollback, and again when the values of its references
 * change. Cold; the reloader calls it in its turns.
 */
import type { ApplySteps } from '../snapshot/opening.ts';
import type { Compiled, Known } from '../compile/compile.ts';
import type { Compiler } from '../compile/compiler.ts';
import type { History, HistoryFallback } from './history.ts';
import type { Outcomes } from './outcomes.ts';
import type { Reload } from './reload.ts';
import type { ReloadPath } from './reload-path.ts';

export class HistoryFallbackRunner {
  readonly #history: History;
  readonly #compiler: Compiler;
  readonly #path: ReloadPath;
  readonly #outcomes: Outcomes;
  /** The inputs read for the last compilation. */
  #known: Known | null = null;

  /** `compiler`: a separate one, because a compiler handles one request at a time. */
  constructor(history: History, compiler: Compiler, path: ReloadPath, outcomes: Outcomes) {
    this.#history = history;
    this.#compiler = compiler;
    this.#path = path;
    this.#outcomes = outcomes;
  }

  /** The files that the entry depends on now; none if no entry serves. */
  get files(): readonly string[] {
    return this.#history.fallback === null ? [] : (this.#known?.files ?? []);
  }

  /** Returns whether the entry is in effect. */
  async put(fallback: HistoryFallback, reload: Reload, by: string): Promise<boolean> {
    const { texts, found } = fallback.stored;
    reload.begin();
    const compiled = await this.#compiler.compile(null, texts, found);
    if (compiled === null) return false;
    this.#outcomes.see(reload, compiled);
    const active = (): void => this.#history.serve(fallback, compiled);
    if (!(await this.#inEffect(reload, compiled, fallback, { active }))) return false;
    this.#known = compiled;
    this.#history.recordFallback(fallback, compiled, reload, by);
    return true;
  }

  async #inEffect(
    reload: Reload,
    compiled: Compiled,
    { why, entry }: HistoryFallback,
    steps?: ApplySteps,
  ): Promise<boolean> {
    if (why !== 'last_good' || compiled.plan?.reload.startFromLastGood !== false)
      return this.#path.settle(reload, compiled, steps);
    const report = `entry ${entry.number} does not allow a start from it: reload.start_from_last_good is false`;
    this.#outcomes.refuse(reload, { reason: 'plan', problems: [], report });
    return false;
  }

  /** Compiles the entry again: the values of its references may have changed. */
  async follow(make: () => Reload): Promise<void> {
    const { fallback } = this.#history;
    if (fallback === null) return;
    const compiled = await this.#compiler.compile(this.#known, fallback.stored.texts, fallback.stored.found);
    if (compiled === null) return;
    this.#known = compiled;
    if (this.#outcomes.means(compiled)) return;
    const reload = make();
    reload.begin();
    this.#outcomes.see(reload, compiled);
    await this.#inEffect(reload, compiled, fallback);
  }

  async close(): Promise<void> {
    await this.#compiler.close();
  }
}
