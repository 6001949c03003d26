/** Waits, and asks again for something until it is done: never too often, and not for ever. Cold. */
import type { Clock } from '../../kit/clock.ts';
import { AcmeError } from './acme-error.ts';
import type { Answer } from './authority.ts';

/** Rejects with `stopped` when the signal says so. */
export function pause(clock: Clock, ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (act: () => void): void => {
      timer.cancel();
      stop.removeEventListener('abort', stopped);
      act();
    };
    const stopped = (): void => done(() => reject(stopReason(stop)));
    const timer = clock.after(ms, () => done(resolve));
    if (stop.aborted) stopped();
    else stop.addEventListener('abort', stopped);
  });
}

function stopReason({ reason }: AbortSignal): AcmeError {
  return reason instanceof AcmeError ? reason : new AcmeError('stopped', 'the gateway stops');
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;
/** What an authority may ask for between two polls (ms). */
const LONGEST_ASKED = 120_000;
const MOST_POLLS = 100;
/** For one thing that is polled (ms). */
const LONGEST_WAIT = 15 * 60_000;
/** An order has cost too much to give it up for a lost packet. */
const MOST_FAILURES = 5;

/** Polls until `done` returns a value. Its pauses grow, or are those of Retry-After (RFC 8555 §7.5.1). */
export async function poll<T>(
  ask: () => Promise<Answer>,
  done: (answer: Answer) => T | null,
  what: string,
  clock: Clock,
  stop: AbortSignal,
): Promise<T> {
  const end = clock.now() + LONGEST_WAIT;
  let [wait, failures] = [FIRST_PAUSE, 0];
  for (let polls = 0; polls < MOST_POLLS && clock.now() < end; polls++) {
    let asked: number | null;
    try {
      const answer = await ask();
      const found = done(answer);
      if (found !== null) return found;
      asked = answer.retryAfter;
      failures = 0;
    } catch (error) {
      if (!(error instanceof AcmeError && isPassing(error)) || ++failures > MOST_FAILURES) throw error;
      asked = error.retryAfter;
    }
    await pause(clock, asked === null ? wait : Math.min(Math.max(asked, FIRST_PAUSE), LONGEST_ASKED), stop);
    wait = Math.min(wait * 1.5, LONGEST_PAUSE);
  }
  throw new AcmeError('too_slow', `${what} is not done after ${LONGEST_WAIT / 60_000} minutes or ${MOST_POLLS} polls`);
}

/** Whether the same request may well succeed in a moment. */
export function isPassing({ code, status }: AcmeError): boolean {
  return code === 'connect_failed' || code === 'timeout' || code === 'server_internal' || status >= 500;
}
