/** Waits for a reload, for as long as the client waits for the response. Cold. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../kit/clock.ts';
import type { Reload } from '../runtime/reload/reload.ts';

export interface Wait {
  readonly until: 'active' | 'drained';
  /** Milliseconds. */
  readonly timeout: number;
}

/** Resolves when the reload reaches the phase or has failed, on timeout, or when the client leaves. */
export function waitFor(
  reload: Reload,
  { until, timeout }: Wait,
  response: ServerResponse,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (reload.has(until)) end();
    };
    const end = (): void => {
      stop();
      timer.cancel();
      response.off('close', end);
      resolve();
    };
    const stop = reload.listen(look);
    const timer = clock.after(timeout, end);
    response.on('close', end);
    look();
  });
}
