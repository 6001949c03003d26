/** What the process's exit code says. */
export const EXIT = {
  ok: 0,
  /** The config has problems. */
  problems: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A listener could not be opened. */
  listen: 3,
  /** `prozy reload`: the gateway does not answer. */
  unreachable: 4,
  /** `prozy reload`: it was not in effect in time. */
  timedOut: 5,
  /** `prozy reload`: it is in effect, but something ran on an older config for longer. */
  undrained: 6,
  /** `prozy reload --detailed-exit-code`: nothing has changed. */
  unchanged: 7,
  /** `prozy plan`: something would change. */
  changes: 2,
  /** `prozy plan`: the command line is wrong. */
  planUsage: 64,
  /** A defect of prozy. */
  internal: 70,
  /** What started it was killed. */
  killed: 137,
} as const;
