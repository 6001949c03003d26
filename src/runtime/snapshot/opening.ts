/** What has to be open before a plan can be current: all of it, or it is closed again as if nothing had been. Cold. */

import { OpenError, type OpenFailure } from './open-error.ts';

export interface Prepared {
  /** Takes it into use; cannot fail. */
  commit(): void;
  /** Closes it again. */
  abort(): Promise<void> | void;
}

/** What whoever applies a plan is told on the way. */
export interface ApplySteps {
  /** All that can fail has succeeded, and nothing has changed. If this fails, it has failed as a whole. */
  bound(): Promise<void> | void;
  /** It is current. */
  active(generation: number): void;
}

/** Opens all of them. Throws, having opened nothing, if any can't be: an OpenError tells of each that can't. */
export async function openAll(
  parts: readonly (() => Promise<Prepared> | Prepared)[],
  steps: ApplySteps | null,
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
    await steps?.bound();
  } catch (error) {
    await abort();
    throw error;
  }
  return { commit: () => open.forEach((one) => one.commit()), abort };
}
