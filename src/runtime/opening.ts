/** What has to be open before a plan can be current: all of it, or it is closed again as if nothing had been. Cold. */

export interface Prepared {
  /** Takes it into use; cannot fail. */
  commit(): void;
  /** Closes it again. */
  abort(): void;
}

/** What whoever applies a plan is told on the way. */
export interface ApplySteps {
  /** All that can fail has succeeded, and nothing has changed. If this fails, it has failed as a whole. */
  bound(): Promise<void> | void;
  /** It is current. */
  active(generation: number): void;
}

/** Opens one after the other. Throws, having opened nothing, if one can't be. */
export async function openAll(
  parts: readonly (() => Promise<Prepared>)[],
  steps: ApplySteps | null,
): Promise<Prepared> {
  const open: Prepared[] = [];
  try {
    for (const part of parts) open.push(await part());
    await steps?.bound();
  } catch (error) {
    for (const one of open.toReversed()) one.abort();
    throw error;
  }
  return {
    commit: () => open.forEach((one) => one.commit()),
    abort: () => open.forEach((one) => one.abort()),
  };
}
