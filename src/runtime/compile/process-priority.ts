/**
 * Lowers a process's priority so that it does not compete with the traffic. Cold; for the compile process.
 *
 * Idle priority and processor affinity exist only on Linux, and only through programs (chrt and taskset, of
 * util-linux). Where these are missing, the settings stay unchanged.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** A lower priority than the traffic's. */
const NICENESS = 10;

/** On Linux each thread has its own priority, and the engine's threads exist before this code runs. */
export function stepBack(): void {
  setPriority(NICENESS);
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), NICENESS);
  } catch {
    // Elsewhere the first call covers the whole process.
  }
}

/**
 * Runs the process only when the processor is idle: a waking thread then gets the processor at once, not at the next
 * tick of the system clock (4 ms on many systems). Also pins it to one processor: otherwise the scheduler would keep
 * moving a process that yields repeatedly, each time to a processor where traffic is about to run.
 */
export function stepAside(): void {
  const { pid } = process;
  execFile('chrt', ['-a', '-i', '-p', '0', `${pid}`], () => {});
  const processors = processorsIn(ownStatus());
  // Gateways on one machine use different processors: one change may reach all of them at once.
  const mine = processors[pid % processors.length];
  if (mine !== undefined) execFile('taskset', ['-a', '-c', '-p', `${mine}`, `${pid}`], () => {});
}

function ownStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'latin1');
  } catch {
    return '';
  }
}

/** The processors that a process may run on, parsed from its status (proc_pid_status(5)). */
export function processorsIn(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status)?.[1] ?? '';
  return list
    .split(',')
    .filter((range) => range !== '')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}
