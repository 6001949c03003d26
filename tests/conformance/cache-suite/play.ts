/** Plays an edition of the outside suite at a cache, from a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Edition } from './edition.ts';
import type { Orders } from './inside.ts';
import type { Results } from './score.ts';

export interface PlayOptions {
  readonly atOnce?: number;
  /** Only these tests. */
  readonly only?: readonly string[] | null;
  /** All messages are kept in `said`. */
  readonly shown?: boolean;
  /** Milliseconds after which what has not ended is left. */
  readonly deadline?: number;
}

export interface Played {
  readonly results: Results;
  /** What the suite wrote: the messages of a single test, if one was asked for. */
  readonly said: string;
}

const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));

/**
 * `open` is given the port of the suite's origin and answers where the cache in front of it listens. The tests wait for
 * seconds, several times, and know nothing of each other: all of them run at once unless told otherwise.
 */
export async function play(
  { engine, folder, ownFetch }: Edition,
  open: (originPort: number) => Promise<{ port: number }>,
  { atOnce = 1000, only = null, shown = false, deadline = 100_000 }: PlayOptions = {},
): Promise<Played> {
  const child = fork(inside, [engine, folder, ownFetch ? 'own' : 'platform'], {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'exit');
  try {
    const { port: originPort } = await told<{ port: number }>(child, () => said);
    const { port } = await open(originPort);
    const base = `http://127.0.0.1:${port}`;
    child.send({ base, atOnce, only, shown, deadline } satisfies Orders);
    const { results } = await told<{ results: Results }>(child, () => said);
    return { results, said };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** The next message of the child, or the reason why there is none. */
async function told<T>(child: ChildProcess, said: () => string): Promise<T> {
  const gone = once(child, 'exit').then(() => {
    throw new Error(`the suite's process has ended: ${said()}`);
  });
  const [message] = (await Promise.race([once(child, 'message'), gone])) as [T];
  return message;
}
