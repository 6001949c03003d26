/** What the process's exit code says. */
export const EXIT = {
  ok: 0,
  /** The config has problems. */
  problems: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A listener could not be opened. */
  listen: 3,
  /** A defect of prozy. */
  internal: 70,
  /** What started it was killed. */
  killed: 137,
} as const;
