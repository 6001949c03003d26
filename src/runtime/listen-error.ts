/** A listener could not be opened. Cold. */
export class ListenError extends Error {
  readonly listener: string;
  readonly address: string;
  /** The system's: EADDRINUSE, EACCES, … */
  readonly code: string;

  constructor(listener: string, address: string, cause: unknown) {
    const code = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? 'ERROR') : 'ERROR';
    super(`listener ${listener} cannot have ${address}: ${code}`, { cause });
    this.name = 'ListenError';
    this.listener = listener;
    this.address = address;
    this.code = code;
  }
}
