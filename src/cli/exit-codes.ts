/** The exit codes of the process. */
export const EXIT = {
  ok: 0,
  /** The config has problems. */
  problems: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A listener could not be opened. */
  listen: 3,
  /** `prozy reload`: the gateway does not respond. */
  unreachable: 4,
  /** `prozy reload`: the config was not in effect in time. */
  timedOut: 5,
  /** `prozy reload`: the config is in effect, but older generations were not drained in time. */
  undrained: 6,
  /** `prozy reload --detailed-exit-code`: nothing has changed. */
  unchanged: 7,
  /** `prozy plan`: the config would change something. */
  changes: 2,
  /** `prozy plan`: the command line is wrong. */
  planUsage: 64,
  /** A defect of prozy. */
  internal: 70,
  /** The parent process was killed. */
  killed: 137,
} as const;
