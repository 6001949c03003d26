/** Computes how many client connections the process has file descriptors for. Cold, read once. */
import { readFileSync } from 'node:fs';

/** Reserved for listeners, logs, config files, threads and connections that are being set up. */
const RESERVE = 64;
/** The client's connection and its upstream connection. */
const PER_CLIENT = 2;

/** Returns 0 if the limit is unknown or absent. `limits`: text in the form of Linux's /proc/self/limits. */
export function connectionsWithin(limits: string): number {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? 0 : Math.max(1, Math.floor((Number(soft) - RESERVE) / PER_CLIENT));
}

/**
 * Beyond this number, accepting would take the descriptors that other clients need for their upstreams: see
 * accepting.ts.
 */
export function connectionsPossible(): number {
  try {
    return connectionsWithin(readFileSync('/proc/self/limits', 'latin1'));
  } catch {
    return 0;
  }
}
