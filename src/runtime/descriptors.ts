/** How many client connections the process has file descriptors for. Cold, read once. */
import { readFileSync } from 'node:fs';

/** For listeners, logs, config files, threads and connections that are just being made. */
const RESERVE = 64;
/** A client's and its upstream's. */
const PER_CLIENT = 2;

/** 0: it is not known, or there is no bound. `limits`: in the form of Linux's /proc/self/limits. */
export function connectionsWithin(limits: string): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? 0 : Math.max(1, Math.floor((Number(soft) - RESERVE) / PER_CLIENT));
}

/**
 * Beyond that many, accepting would take the descriptors that the others need for their upstreams: see accepting.ts.
 */
export function connectionsPossible(): number {
  try {
    return connectionsWithin(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return 0;
  }
}
