/**
 * Says "maybe changed" when anything happens near the config's files. Cold.
 *
 * Watching a file loses it when it is replaced, and watching a link misses what it leads through. So the directory of every
 * hop is watched: of the file, of each symbolic link on the way to it, and of what they point to. Kubernetes swaps a
 * ConfigMap by renaming a link (`..data`), deployments by re-pointing `current`: both are an event in one of these
 * directories. An event is only a hint; the reloader decides by the digest. A slow poll is the net below, for file systems
 * that tell nobody.
 *
 * A file that is written in place has a content at each moment, and none of them need be what its author means. So after
 * such a change no hint is given until nothing has changed in place for `settle`. A file that another replaces is whole.
 */
import { globSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, matchesGlob, parse, resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock, Timer } from '../kit/clock.ts';

/** Quiet time after an event before the hint is given: several files are often replaced together (ms). */
const SETTLE = 10;
/** A directory in which something happens all the time does not put the hint off for longer (ms). */
const LONGEST_SETTLE = 100;
const POLL = 2000;
/** When to look, unasked, after watching has begun somewhere (ms). */
const UNSEEN = [20, 100, 500];
/** Links followed on the way to one file. */
const MOST_HOPS = 40;

/** What of the config in effect concerns the watching. */
export interface WatchPlan {
  /** Whether files are watched and looked at unasked. */
  readonly watch: boolean;
  /** Milliseconds without a change in place before a file that changes in place is read. */
  readonly settle: number;
}

/** As the file system describes a file: which one it is, and its size and time. */
interface Stamp {
  readonly file: string;
  readonly state: string;
}

const MISSING: Stamp = { file: '', state: 'missing' };

function stampOf(path: string): Stamp {
  try {
    const { dev, ino, size, mtimeMs } = statSync(path);
    return { file: `${dev}:${ino}`, state: `${size}:${mtimeMs}` };
  } catch {
    return MISSING;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

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
  #plan: WatchPlan = { watch: false, settle: 0 };
  #poll: Timer | null = null;
  #files: readonly string[] = [];
  #globs: readonly string[] = [];
  /** Where the files really are. */
  #places: ReadonlySet<string> = new Set();
  /** As the files were when they were last read. */
  #read: ReadonlyMap<string, Stamp> = new Map();
  /** As all that is watched was when it was last looked at. */
  #seen = '';
  #directories = new Set<string>();
  #settling: Timer | null = null;
  #firstEvent = 0;
  /** Until when nothing may change in place (monotonic ms); null: nothing has. */
  #quietAt: number | null = null;
  #quieting: Timer | null = null;
  #unseen: Timer[] = [];
  #closed = false;

  constructor(clock: Clock, hint: (by: Notice) => void) {
    this.#clock = clock;
    this.#hint = hint;
    this.#watcher = watch([], { depth: 0, ignoreInitial: true, followSymlinks: false, atomic: false });
    // `raw` comes at once with what the system says; the others add what chokidar concludes.
    this.#watcher.on('raw', (event, name, details) => this.#raw(event, name, details));
    this.#watcher.on('all', () => this.#event());
    // A directory that vanished or may not be read: the poll remains.
    this.#watcher.on('error', () => {});
  }

  /** Watches what these paths lead to and what could come to match these absolute patterns, and nothing else. */
  update(files: readonly string[], globs: readonly string[], plan: WatchPlan): void {
    if (this.#closed) return;
    this.#plan = plan;
    this.#files = files;
    this.#globs = globs;
    this.#places = new Set(files.map(realPath));
    this.#read = this.#stamps();
    this.#seen = textOf(this.#read);
    const wanted = new Set<string>();
    for (const file of plan.watch ? [...files, ...globs.map(fixedPart)] : [])
      for (const directory of directoriesOf(file)) wanted.add(directory);
    const added = [...wanted].filter((one) => !this.#directories.has(one));
    const removed = [...this.#directories].filter((one) => !wanted.has(one));
    if (removed.length > 0) this.#watcher.unwatch(removed);
    if (added.length > 0) {
      this.#watcher.add(added);
      // Watching begins a little later, and what happens until then is told by nobody.
      for (const timer of this.#unseen) timer.cancel();
      this.#unseen = [];
      for (const ms of UNSEEN) this.#unseen.push(this.#clock.after(ms, () => this.#give('poll')));
    }
    this.#directories = wanted;
    if (plan.watch) this.#poll ??= this.#clock.every(POLL, () => this.#look());
    else this.#rest();
  }

  /** Nothing is looked for any more. */
  #rest(): void {
    for (const timer of [this.#poll, this.#settling, this.#quieting, ...this.#unseen]) timer?.cancel();
    this.#poll = this.#settling = this.#quieting = this.#quietAt = null;
    this.#unseen = [];
  }

  /**
   * Is any file being written in place, as far as one can tell? What has been read of it may be a part: it is hinted at when
   * it is quiet.
   */
  get unsettled(): boolean {
    return this.#plan.watch && !this.#closed && !this.#quiet('watch');
  }

  /** As the system tells it: `change` is of the content or mode of a file, `rename` of its name. */
  #raw(event: string, name: unknown, details: unknown): void {
    const { watchedPath } = details as { readonly watchedPath?: string };
    const inDirectory = typeof name === 'string' && watchedPath !== undefined && this.#directories.has(watchedPath);
    // Of a file that is replaced its own watch tells a change as well.
    if (event === 'change' && inDirectory && this.#reads(join(watchedPath, name)))
      this.#quietAt = this.#clock.now() + this.#plan.settle;
    this.#event();
  }

  #reads(path: string): boolean {
    return this.#places.has(path) || this.#globs.some((pattern) => matchesGlob(path, pattern));
  }

  #event(): void {
    if (this.#closed || !this.#plan.watch) return;
    const now = this.#clock.now();
    if (this.#settling === null) this.#firstEvent = now;
    else if (now - this.#firstEvent > LONGEST_SETTLE) return;
    this.#settling?.cancel();
    this.#settling = this.#clock.after(SETTLE, () => {
      this.#settling = null;
      this.#give('watch');
    });
  }

  #look(): void {
    if (textOf(this.#stamps()) !== this.#seen) this.#give('poll');
  }

  #give(by: Notice): void {
    if (!this.#closed && this.#quiet(by)) this.#hint(by);
  }

  /** If not, the hint is given when it is. */
  #quiet(by: Notice): boolean {
    const now = this.#clock.now();
    const stamps = this.#stamps();
    const seen = textOf(stamps);
    if (seen !== this.#seen) {
      this.#seen = seen;
      if (this.#changedInPlace(stamps)) this.#quietAt = now + this.#plan.settle;
    }
    if (this.#quietAt === null) return true;
    this.#quieting?.cancel();
    this.#quieting = null;
    if (now >= this.#quietAt) {
      this.#quietAt = null;
      return true;
    }
    this.#quieting = this.#clock.after(this.#quietAt - now, () => this.#give(by));
    return false;
  }

  /** Is any the same file as before with another content? */
  #changedInPlace(stamps: ReadonlyMap<string, Stamp>): boolean {
    for (const [path, { file, state }] of stamps) {
      const read = this.#read.get(path);
      if (read !== undefined && read.file === file && read.state !== state) return true;
    }
    return false;
  }

  #stamps(): Map<string, Stamp> {
    const found = this.#globs.flatMap((pattern) => globSync(pattern));
    return new Map([...this.#files, ...found].map((path) => [path, stampOf(path)]));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rest();
    await this.#watcher.close();
  }
}

function textOf(stamps: ReadonlyMap<string, Stamp>): string {
  return [...stamps.values()].map(({ file, state }) => `${file}:${state}`).join(' ');
}
