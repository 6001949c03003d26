/**
 * How a process gets out of the traffic's way. Cold; for the process that compiles.
 *
 * What Linux alone has, and nothing but programs of its own can ask for (chrt and taskset, of util-linux), is asked for: where
 * they are missing it is as it was.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Below the traffic's. */
const NICENESS = 10;

/** On Linux each thread has a priority of its own, and those of the engine are there before this one gets to say anything. */
export function stepBack(): void {
  setPriority(NICENESS);
  try {
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), NICENESS);
  } catch {
    // Elsewhere that was all.
  }
}

/**
 * To run when nothing else wants to: whoever wakes up has the processor at once, and not when the system's clock ticks next
 * (4 ms on many). And to stay on one processor: what gives way again and again would be carried to and fro, each time to
 * where the traffic is about to be.
 */
export function stepAside(): void {
  const { pid } = process;
  execFile('chrt', ['-a', '-i', '-p', '0', `${pid}`], () => {});
  const processors = processorsIn(ownStatus());
  // Another one for each gateway of a machine: all of them may be told of one change.
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

/** Those that a process may run on, by what the system says of it (proc_pid_status(5)). */
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
