/** Has one kind of bad client come many times, and says what was wrong with how the gateway took it. */
import { pause } from './client.ts';
import { stillOpen } from './gauges.ts';
import type { Kind, Scene } from './kinds.ts';
import type { LogReader } from './log-reader.ts';

export interface Target {
  readonly scene: Scene;
  readonly adminPort: number;
  readonly log: LogReader;
}

export interface Outcome {
  readonly kind: string;
  readonly count: number;
  readonly seen: ReadonlyMap<string, number>;
  readonly logged: ReadonlyMap<string, number>;
  readonly ms: number;
  /** Empty: all as it must be. */
  readonly problems: readonly string[];
}

/** For log lines, which are written once a second, and for connections that linger, on a machine that has much else to do. */
const SETTLE_MS = 30_000;

export async function runKind(kind: Kind, target: Target, count: number, most: number): Promise<Outcome> {
  const atOnce = Math.min(count, most, kind.atOnce ?? most);
  const started = performance.now();
  const before = new Map(target.log.tally(kind.name));
  const seen = new Map<string, number>();
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const saw = await kind.talk(target.scene, n).catch((error: unknown) => String(error));
      seen.set(saw, (seen.get(saw) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  const ms = performance.now() - started;
  const problems = unexpected(seen, kind.sees, 'clients saw');
  const [least, highest] = kind.lines;
  const logged = (): Map<string, number> => difference(target.log.tally(kind.name), before);
  if (!(await settled(() => total(logged()) >= least * count)))
    problems.push(`${total(logged())} log lines, at least ${least * count} are due`);
  let open: string[] = [];
  const closed = async (): Promise<boolean> => (open = await stillOpen(target.adminPort, kind.name)).length === 0;
  if (!(await settled(closed))) problems.push(`still open: ${open.join(', ')}`);
  const lines = logged();
  if (total(lines) > highest * count) problems.push(`${total(lines)} log lines, at most ${highest * count} are due`);
  problems.push(...unexpected(lines, kind.logs, 'the log says'));
  return { kind: kind.name, count, seen, logged: lines, ms, problems };
}

export async function settled(condition: () => boolean | Promise<boolean>, ms = SETTLE_MS): Promise<boolean> {
  const until = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > until) return false;
    await pause(50);
  }
  return true;
}

function unexpected(tally: ReadonlyMap<string, number>, allowed: readonly string[], what: string): string[] {
  return [...tally].filter(([word]) => !allowed.includes(word)).map(([word, n]) => `${what} ${word}, ${n} times`);
}

function difference(now: ReadonlyMap<string, number>, before: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...now].map(([word, n]) => [word, n - (before.get(word) ?? 0)] as const).filter(([, n]) => n > 0));
}

function total(tally: ReadonlyMap<string, number>): number {
  return [...tally.values()].reduce((sum, n) => sum + n, 0);
}
