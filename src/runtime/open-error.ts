/** Something that a config names could not be opened: a listening socket or a log file. Cold. */
export class OpenError extends Error {
  /** The system's: EADDRINUSE, EACCES, … */
  readonly code: string;
  /** Of the setting that names it, in the config. */
  readonly pointer: string;

  /** `what`: as people call it; `place`: the address or path. */
  constructor(what: string, place: string, pointer: string, cause: unknown) {
    const code = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? 'ERROR') : 'ERROR';
    super(`${what} cannot have ${place}: ${code}`, { cause });
    this.name = 'OpenError';
    this.code = code;
    this.pointer = pointer;
  }
}
