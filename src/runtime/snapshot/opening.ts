/** Opens the resources that a plan needs before it can become current: all of them, or none. Cold. */

import { OpenError, type OpenFailure } from './open-error.ts';

export interface Prepared {
  /** Puts it into use; cannot fail. */
  commit(): void;
  /** Closes it again. */
  abort(): Promise<void> | void;
}

/** Hooks for the caller that applies a plan. */
export interface ApplySteps {
  /** Every step that can fail has succeeded, and nothing has changed yet. An error here fails the whole plan. */
  readonly bound?: () => Promise<void> | void;
  /** The plan is current. */
  readonly active?: (generation: number) => void;
}

/** Opens all parts. If any fails, closes the rest and throws; an OpenError lists each failure. */
export async function openAll(
  parts: readonly (() => Promise<Prepared> | Prepared)[],
  steps: ApplySteps,
): Promise<Prepared> {
  const open: Prepared[] = [];
  const failures: OpenFailure[] = [];
  const abort = async (): Promise<void> => {
    for (const one of open.toReversed()) await one.abort();
  };
  try {
    for (const part of parts) {
      try {
        open.push(await part());
      } catch (error) {
        if (!(error instanceof OpenError)) throw error;
        failures.push(...error.failures);
      }
    }
    if (failures.length > 0) throw new OpenError(failures);
    await steps.bound?.();
  } catch (error) {
    await abort();
    throw error;
  }
  return { commit: () => open.forEach((one) => one.commit()), abort };
}
