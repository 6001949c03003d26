/** Runs of the suite over many ways of delivery. */
import type { AnswerSpec, Meeting, Serving } from './meeting.ts';

/** Every combination of how reads are cut, what the network holds, and when ends are told (wire.ts). */
export const ALL_WAYS = Array.from({ length: 24 }, (_, seed) => seed);

/** Runs the same over every way of delivery; a failure names its seed. */
export function overSeeds(run: (seed: number) => void, seeds: readonly number[] = ALL_WAYS): void {
  for (const seed of seeds) {
    try {
      run(seed);
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed}: ${error.message}`;
      throw error;
    }
  }
}

/** A server that answers as told, once it has read the request; or, with `early`, before that. */
export function answering(meeting: Meeting, answer: AnswerSpec): (serving: Serving) => void {
  return (serving) => {
    serving.slowness = meeting.turns.random();
    for (const [status, pairs] of answer.informational ?? []) serving.informational(status, pairs);
    const whole = serving.x.bodyLength === 0;
    if (!whole && answer.early !== true) {
      serving.onEvent = (event) => {
        if (event === 'end') serving.respond(meeting, answer);
      };
    }
    // It may have to wait before it can take the body.
    if (!whole) {
      if (meeting.turns.random() < 0.5) serving.read();
      else meeting.turns.soon(() => serving.ended || serving.read());
    }
    if (whole || answer.early === true) serving.respond(meeting, answer);
  };
}
