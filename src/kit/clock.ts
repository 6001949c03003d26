/** Time and timers, passed as an argument so that tests can control them. Cold to create, hot to read. */

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, with a fraction. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** Calls `due` once after `ms`. */
  after(ms: number, due: () => void): Timer;
  /** Calls `due` every `ms`. */
  every(ms: number, due: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, due) => {
    const timer = setTimeout(due, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (ms, due) => {
    const timer = setInterval(due, ms);
    return { cancel: () => clearInterval(timer) };
  },
};
