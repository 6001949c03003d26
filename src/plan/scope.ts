/** State shared by the parts of the planner: the positions of settings, and the problems found so far. Cold. */
import { suggest } from '../kit/suggest.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Locate } from '../config/merge.ts';
import { errorAt, type Level, type Position, type Problem } from '../config/problem.ts';
import type { Salvaged } from '../config/recover-partial-config.ts';

/** A position related to a problem, and its message. */
interface Related {
  readonly pointer: string;
  readonly message: string;
}

export class PlanScope {
  /** Includes the problems found while loading. */
  readonly problems: Problem[];
  readonly #written: Locate;
  readonly #salvaged: Salvaged;
  readonly #secrets: readonly string[];

  constructor({ locate, salvaged, secrets, problems }: LoadedConfig) {
    this.problems = [...problems];
    this.#written = locate;
    this.#salvaged = salvaged;
    // Shorter texts are not secrets, and would occur everywhere.
    this.#secrets = secrets.filter((secret) => secret.length > 2);
  }

  problem(pointer: string, message: string, hint?: string, other?: Related): void {
    this.#add('error', pointer, message, hint, other);
  }

  /** The config may still take effect. */
  warning(pointer: string, message: string, hint?: string, other?: Related): void {
    this.#add('warning', pointer, message, hint, other);
  }

  #add(level: Level, pointer: string, message: string, hint?: string, other?: Related): void {
    const shown = hint === undefined ? undefined : this.discreet(hint);
    this.problems.push({
      ...errorAt(this.#locate(pointer), this.#asWritten(pointer), this.discreet(message), shown),
      level,
      ...(other === undefined
        ? {}
        : { related: [{ ...this.#locate(other.pointer), message: this.discreet(other.message) }] }),
    });
  }

  /** Whether the setting is written in a file, not only a default. */
  isWritten(pointer: string): boolean {
    const [own, parent] = [this.#locate(pointer), this.#locate(pointer.slice(0, pointer.lastIndexOf('/')))];
    // A setting that is not written has the position of its parent.
    return own.file !== parent.file || own.line !== parent.line || own.column !== parent.column;
  }

  #locate(pointer: string): Position {
    return this.#written(this.#asWritten(pointer));
  }

  /** Routes were removed, so the remaining ones have lower indexes than in the file. */
  #asWritten(pointer: string): string {
    return pointer.replace(/^\/routes\/(\d+)/, (_, index) => `/routes/${this.#salvaged.routeAt(Number(index))}`);
  }

  /** Removes secrets from the text. */
  discreet(text: string): string {
    return this.#secrets.reduce((shown, secret) => shown.replaceAll(secret, '…'), text);
  }

  /**
   * Returns the value of `name` in `known`, or reports a problem that suggests a similar name. `disabled`: disabled
   * names.
   */
  find<T>(
    known: ReadonlyMap<string, T>,
    kind: string,
    name: string,
    pointer: string,
    disabled: readonly string[] = [],
  ): T | null {
    const found = known.get(name);
    if (found !== undefined) return found;
    if (this.#salvaged.lost(kind, name)) return null;
    if (disabled.includes(name)) {
      this.problem(pointer, `${kind} ${name} is disabled`);
      return null;
    }
    const near = suggest(name, known.keys());
    this.problem(pointer, `there is no ${kind} ${name}`, near === undefined ? undefined : `did you mean ${near}?`);
    return null;
  }
}
