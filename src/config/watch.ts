/**
 * Says "maybe changed" when anything happens near the config's files. Cold.
 *
 * Watching a file loses it when it is replaced, and watching a link misses what it leads through. So the directory of every
 * hop is watched: of the file, of each symbolic link on the way to it, and of what they point to. Kubernetes swaps a
 * ConfigMap by renaming a link (`..data`), deployments by re-pointing `current`: both are an event in one of these
 * directories. An event is only a hint; the reloader decides by the digest. A slow poll is the net below, for file systems
 * that tell nobody.
 */
import { globSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { dirname, parse, resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock, Timer } from '../kit/clock.ts';

/** Quiet time after an event before the hint is given, so that a file is read when it is whole (ms). */
const SETTLE = 10;
/** A directory in which something happens all the time does not put the hint off for longer (ms). */
const LONGEST_SETTLE = 100;
const POLL = 2000;
/** When to look, unasked, after watching has begun somewhere (ms). */
const UNSEEN = [20, 100, 500];
/** Links followed on the way to one file. */
const MOST_HOPS = 40;

/** How something came to be noticed: the system told it, or it was looked for. */
export type Notice = 'watch' | 'poll';

/** The directories in which a change can change what the path leads to. */
function directoriesOf(path: string): Set<string> {
  const found = new Set<string>();
  let hops = 0;
  const follow = (target: string): void => {
    const { root } = parse(target);
    let at = root;
    const parts = target.slice(root.length).split(sep).filter(Boolean);
    for (const [i, part] of parts.entries()) {
      const next = resolve(at, part);
      const link = linkOf(next);
      if (link !== null) {
        found.add(at);
        if (++hops > MOST_HOPS) return;
        follow(resolve(at, link, ...parts.slice(i + 1)));
        return;
      }
      at = next;
    }
    found.add(dirname(target));
  };
  follow(path);
  return found;
}

/** What of a pattern's path is no pattern, with one more part: `/a/b/*.yaml` → `/a/b/_`. */
function fixedPart(pattern: string): string {
  const parts = pattern.split(sep);
  const wild = parts.findIndex((part) => /[*?[{]/.test(part));
  return wild < 0 ? pattern : [...parts.slice(0, wild), '_'].join(sep);
}

function linkOf(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}

export class SourceWatcher {
  readonly #clock: Clock;
  readonly #hint: (by: Notice) => void;
  readonly #watcher: FSWatcher;
  readonly #poll: Timer;
  #files: readonly string[] = [];
  #globs: readonly string[] = [];
  #signature = '';
  #directories = new Set<string>();
  #settling: Timer | null = null;
  #firstEvent = 0;
  #unseen: Timer[] = [];
  #closed = false;

  constructor(clock: Clock, hint: (by: Notice) => void) {
    this.#clock = clock;
    this.#hint = hint;
    this.#watcher = watch([], { depth: 0, ignoreInitial: true, followSymlinks: false, atomic: false });
    // `raw` comes at once with what the system says; the others add what chokidar concludes.
    this.#watcher.on('raw', () => this.#event());
    this.#watcher.on('all', () => this.#event());
    // A directory that vanished or may not be read: the poll remains.
    this.#watcher.on('error', () => {});
    this.#poll = clock.every(POLL, () => this.#look());
  }

  /** Watches what these paths lead to and what could come to match these absolute patterns, and nothing else. */
  update(files: readonly string[], globs: readonly string[]): void {
    if (this.#closed) return;
    this.#files = files;
    this.#globs = globs;
    this.#signature = this.#sign();
    const wanted = new Set<string>();
    for (const file of [...files, ...globs.map(fixedPart)])
      for (const directory of directoriesOf(file)) wanted.add(directory);
    const added = [...wanted].filter((one) => !this.#directories.has(one));
    const removed = [...this.#directories].filter((one) => !wanted.has(one));
    if (removed.length > 0) this.#watcher.unwatch(removed);
    if (added.length > 0) {
      this.#watcher.add(added);
      // Watching begins a little later, and what happens until then is told by nobody.
      for (const timer of this.#unseen) timer.cancel();
      this.#unseen = [];
      for (const ms of UNSEEN) this.#unseen.push(this.#clock.after(ms, () => this.#hint('poll')));
    }
    this.#directories = wanted;
  }

  #event(): void {
    if (this.#closed) return;
    const now = this.#clock.now();
    if (this.#settling === null) this.#firstEvent = now;
    else if (now - this.#firstEvent > LONGEST_SETTLE) return;
    this.#settling?.cancel();
    this.#settling = this.#clock.after(SETTLE, () => {
      this.#settling = null;
      this.#hint('watch');
    });
  }

  #look(): void {
    const signature = this.#sign();
    if (signature === this.#signature) return;
    this.#signature = signature;
    this.#hint('poll');
  }

  /** Changes when any of the files is another or has changed, as far as the file system says. */
  #sign(): string {
    const found = this.#globs.flatMap((pattern) => globSync(pattern));
    return [...new Set([...this.#files, ...found])]
      .map((file) => {
        try {
          const { dev, ino, size, mtimeMs } = statSync(file);
          return `${dev}:${ino}:${size}:${mtimeMs}`;
        } catch {
          return 'missing';
        }
      })
      .join(' ');
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settling?.cancel();
    for (const timer of this.#unseen) timer.cancel();
    this.#poll.cancel();
    await this.#watcher.close();
  }
}
