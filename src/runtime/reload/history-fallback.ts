/**
 * Puts an entry of the history in the place of the file: at a start, for a rollback, and again when what its references stand
 * for has changed. Cold; called by the reloader in its turns.
 */
import type { Applier, SettleSteps } from './applier.ts';
import type { Compiled, Known } from '../compile/compile.ts';
import type { Compiler } from '../compile/compiler.ts';
import type { History, HistoryFallback } from './history.ts';
import type { Reload } from './reload.ts';

export class HistoryFallbackRunner {
  readonly #history: History;
  readonly #compiler: Compiler;
  readonly #applier: Applier;
  /** What was last read for it. */
  #known: Known | null = null;

  /** `compiler`: its own, since one compiles one thing at a time. */
  constructor(history: History, compiler: Compiler, applier: Applier) {
    this.#history = history;
    this.#compiler = compiler;
    this.#applier = applier;
  }

  /** What it depends on now; nothing if there is none. */
  get files(): readonly string[] {
    return this.#history.fallback === null ? [] : (this.#known?.files ?? []);
  }

  /** Answers whether it is in effect. */
  async put(standIn: HistoryFallback, reload: Reload, by: string): Promise<boolean> {
    const { texts, found } = standIn.stored;
    reload.begin();
    const compiled = await this.#compiler.compile(null, texts, found);
    if (compiled === null) return false;
    this.#applier.see(reload, compiled);
    const active = (): void => this.#history.serve(standIn, compiled);
    if (!(await this.#inEffect(reload, compiled, standIn, { active }))) return false;
    this.#known = compiled;
    this.#history.recordStandIn(standIn, compiled, reload, by);
    return true;
  }

  async #inEffect(
    reload: Reload,
    compiled: Compiled,
    { why, entry }: HistoryFallback,
    steps?: SettleSteps,
  ): Promise<boolean> {
    if (why !== 'last_good' || compiled.plan?.reload.startFromLastGood !== false)
      return this.#applier.settle(reload, compiled, steps);
    const report = `entry ${entry.number} says that a start may not be by it`;
    this.#applier.refuse(reload, { reason: 'plan', problems: [], report });
    return false;
  }

  /** What its references stand for may be something else now. */
  async follow(make: () => Reload): Promise<void> {
    const { fallback: standIn } = this.#history;
    if (standIn === null) return;
    const compiled = await this.#compiler.compile(this.#known, standIn.stored.texts, standIn.stored.found);
    if (compiled === null) return;
    this.#known = compiled;
    if (this.#applier.means(compiled)) return;
    const reload = make();
    reload.begin();
    this.#applier.see(reload, compiled);
    await this.#inEffect(reload, compiled, standIn);
  }

  async close(): Promise<void> {
    await this.#compiler.close();
  }
}
