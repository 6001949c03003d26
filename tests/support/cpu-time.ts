/** What work costs, whoever else wants the processor meanwhile. */

/** Milliseconds of processor time that this process has had. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What is done at once, and the milliseconds of processor time that it took. */
export function costOf<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const began = cpuTime();
  const result = work();
  return { result, ms: cpuTime() - began };
}
