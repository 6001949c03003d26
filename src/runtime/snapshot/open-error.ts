/** The error for what a config names and could not be opened: listening sockets, log files, policy modules. Cold. */
import { segment } from '../../config/walk.ts';

export interface OpenFailure {
  /** The failed resource and the reason, for people. */
  readonly message: string;
  /** The system's code: EADDRINUSE, EACCES, … */
  readonly code: string;
  /** The pointer of the setting that names it. */
  readonly pointer: string;
}

export class OpenError extends Error {
  /** At least one. */
  readonly failures: readonly OpenFailure[];
  /** Includes the positions in the files, once they are known. */
  report: string;

  constructor(failures: readonly OpenFailure[]) {
    super(failures.map(({ message }) => message).join('\n'));
    this.name = 'OpenError';
    this.failures = failures;
    this.report = this.message;
  }
}

/** Stands for the route of that name: a plan does not know the positions of its routes. */
export function routePointer(name: string): string {
  return `/routes/${segment(name)}`;
}

/** Stands for a module policy. `holder`: the pointer of its route or listener, as by `routePointer`. */
export function modulePointer(holder: string, module: string): string {
  return `${holder}/${segment(module)}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'there is no such name',
  ENOENT: 'there is no such directory',
};

/**
 * `what`: the name for people; `place`: the address or path; `reason`: given where more is known than the system says.
 */
export function openFailure(
  what: string,
  place: string,
  pointer: string,
  cause: unknown,
  reason?: string,
): OpenFailure {
  const code = codeOf(cause);
  const why = reason ?? REASONS[code];
  return { message: `${what} cannot have ${place}: ${code}${why === undefined ? '' : `, ${why}`}`, code, pointer };
}

export function codeOf(cause: unknown): string {
  return cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? 'ERROR') : 'ERROR';
}
