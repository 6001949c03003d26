/** The last reloads, newest first, which the admin pages look up and wait for. Cold; one per reloader. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Gateway } from '../gateway.ts';
import { type ReachedPhase, Reload, type ReloadView, type Trigger } from './reload.ts';
import { NO_WARNINGS } from './fresh-warnings.ts';
import { tellEnd, tellPhase } from './reload-events.ts';

/** The number of reloads kept. */
const MOST = 100;

export class Reloads {
  /** The last reload that has ended and was reported; null: none yet. */
  last: ReloadView | null = null;
  readonly #gateway: Gateway;
  readonly #file: string;
  readonly #clock: Clock;
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  /** Differs for each process, so that no client waits for a reload of an earlier process. */
  readonly #prefix = randomBytes(3).toString('hex');
  #count = 0;
  /** The warnings in effect, already logged. */
  #warnings = NO_WARNINGS;

  constructor(gateway: Gateway, file: string, clock: Clock) {
    this.#gateway = gateway;
    this.#file = file;
    this.#clock = clock;
  }

  /** Makes a reload that is not visible until it is kept. */
  make(trigger: Trigger): Reload {
    return new Reload(trigger, this.#clock);
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Newest first. */
  get all(): ReloadView[] {
    return [...this.#kept.values()].toReversed().map(({ reload }) => reload.view);
  }

  /** `last`: the newest. */
  find(id: string): Reload | null {
    if (id !== 'last') return this.#kept.get(id)?.reload ?? null;
    return [...this.#kept.values()].at(-1)?.reload ?? null;
  }

  /** Makes the reload visible. */
  keep(reload: Reload): void {
    if (reload.id !== '') return;
    reload.id = `${this.#prefix}-${++this.#count}`;
    const tell = (phase: ReachedPhase | null): void => {
      if (phase !== null) tellPhase(this.#gateway, reload, phase);
    };
    reload.phases.forEach(tell);
    reload.listen(tell);
    this.#kept.set(reload.id, { reload, stop: () => {} });
    for (const [id, old] of this.#kept) {
      if (this.#kept.size <= MOST) break;
      old.stop();
      old.reload.forget();
      this.#kept.delete(id);
    }
  }

  /** The reload is in effect; it is drained when no lease runs on an older generation. */
  succeed(reload: Reload, result: 'applied' | 'unchanged', generation: number): void {
    reload.succeed(result, generation);
    const shared = this.#kept.get(reload.id);
    if (shared !== undefined) shared.stop = this.#gateway.whenAlone(generation, () => reload.reach('drained'));
  }

  /** The reload has ended. */
  close(reload: Reload): void {
    this.#warnings = tellEnd(this.#gateway, this.#file, reload, this.#warnings);
    reload.settle();
    this.last = reload.view;
  }
}

interface Kept {
  readonly reload: Reload;
  /** Stops waiting for the drain. */
  stop: () => void;
}
