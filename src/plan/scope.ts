/** What the parts of the planner share: where things are written, and the problems found so far. Cold. */
import { suggest } from '../kit/suggest.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Locate } from '../config/merge.ts';
import type { Position, Problem } from '../config/problem.ts';
import type { Salvaged } from '../config/salvage.ts';

export class PlanScope {
  readonly problems: Problem[] = [];
  readonly #written: Locate;
  readonly #salvaged: Salvaged;
  readonly #secrets: readonly string[];

  constructor({ locate, salvaged, secrets }: Pick<LoadedConfig, 'locate' | 'salvaged' | 'secrets'>) {
    this.#written = locate;
    this.#salvaged = salvaged;
    // Shorter ones are no secrets, and would be found everywhere.
    this.#secrets = secrets.filter((secret) => secret.length > 2);
  }

  /** `other`: the pointer of a place that belongs to it, and what is said of it. */
  problem(pointer: string, message: string, hint?: string, other?: { pointer: string; message: string }): void {
    this.problems.push({
      ...this.#locate(pointer),
      pointer: this.#asWritten(pointer),
      message: this.discreet(message),
      ...(hint === undefined ? {} : { hint: this.discreet(hint) }),
      ...(other === undefined
        ? {}
        : { related: [{ ...this.#locate(other.pointer), message: this.discreet(other.message) }] }),
    });
  }

  #locate(pointer: string): Position {
    return this.#written(this.#asWritten(pointer));
  }

  /** Routes that were taken out have left the others with lower places than they were written at. */
  #asWritten(pointer: string): string {
    return pointer.replace(/^\/routes\/(\d+)/, (_, index) => `/routes/${this.#salvaged.routeAt(Number(index))}`);
  }

  /** Without secrets. */
  discreet(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
  }

  /** What `name` means among `known`, or a problem that names what was probably meant. */
  find<T>(known: ReadonlyMap<string, T>, kind: string, name: string, pointer: string): T | null {
    const found = known.get(name);
    if (found !== undefined) return found;
    if (this.#salvaged.lost(kind, name)) return null;
    const near = suggest(name, known.keys());
    this.problem(pointer, `there is no ${kind} ${name}`, near === undefined ? undefined : `did you mean ${near}?`);
    return null;
  }
}

/** One segment of a JSON Pointer. */
export function segment(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}
