/** What the parts of the planner share: where things are written, and the problems found so far. Cold. */
import { suggest } from '../kit/suggest.ts';
import type { Locate } from '../config/merge.ts';
import type { Problem } from '../config/problem.ts';

export class PlanScope {
  readonly problems: Problem[] = [];
  readonly #locate: Locate;

  constructor(locate: Locate) {
    this.#locate = locate;
  }

  /** `other`: the pointer of a place that belongs to it, and what is said of it. */
  problem(pointer: string, message: string, hint?: string, other?: { pointer: string; message: string }): void {
    this.problems.push({
      ...this.#locate(pointer),
      pointer,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(other === undefined ? {} : { related: [{ ...this.#locate(other.pointer), message: other.message }] }),
    });
  }

  /** What `name` means among `known`, or a problem that names what was probably meant. */
  find<T>(known: ReadonlyMap<string, T>, kind: string, name: string, pointer: string): T | null {
    const found = known.get(name);
    if (found !== undefined) return found;
    const near = suggest(name, known.keys());
    this.problem(pointer, `there is no ${kind} ${name}`, near === undefined ? undefined : `did you mean ${near}?`);
    return null;
  }
}

/** One segment of a JSON Pointer. */
export function segment(name: string | number): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}
