/**
 * Reports "maybe changed" when anything happens near the config's files. Cold.
 *
 * A watch on a file is lost when the file is replaced, and a watch on a link misses changes along its path. So the
 * watcher watches directories: that of the file, of each symbolic link on the way to it, and of their targets.
 * Kubernetes swaps a ConfigMap by renaming a link (`..data`), deployments by re-pointing `current`: both are an event
 * in one of these directories. An event is only a hint; the reloader compares digests. A slow poll covers file systems
 * that send no events.
 *
 * A file that is written in place has intermediate contents, and its author may mean none of them. So after such a
 * change no hint is given until nothing has changed in place for `settle`. A file that is replaced by another is
 * complete at once.
 */
import { globSync, lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, matchesGlob, parse, resolve, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import type { Clock, Timer } from '../kit/clock.ts';
import { matchingFiles } from './matching-files.ts';
import { type FollowSettings, NOT_FOLLOWED, type Notice } from './config-source.ts';

/** Quiet time after an event before the hint is given: several files are often replaced together (ms). */
const SETTLE = 10;
/** Constant activity in a directory delays the hint at most this long (ms). */
const LONGEST_SETTLE = 100;
const POLL = 2000;
/** Files looked at in one go: to look at ten thousand takes 50 ms. */
const LOT = 500;
/** When to check without an event after a new watch begins (ms). */
const UNSEEN = [20, 100, 500];
/** The most links followed on the way to one file. */
const MOST_HOPS = 40;

/** The file's identity, size and time, as the file system reports them. */
interface Stamp {
  readonly file: string;
  readonly state: string;
}

interface Lots {
  readonly paths: readonly string[];
  readonly stamps: Map<string, Stamp>;
  /** The first path of the next lot. */
  next: number;
  /** Changes seen so far. */
  changes: number;
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
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

/** Reads each link once: ten thousand files have most of their path in common. */
function linkReader(): (path: string) => string | null {
  const known = new Map<string, string | null>();
  return (path) => {
    let link = known.get(path);
    if (link === undefined) known.set(path, (link = linkOf(path)));
    return link;
  };
}

/** The directories in which a change can change the target of the path. */
function directoriesOf(path: string, linkAt: (path: string) => string | null): Set<string> {
  const found = new Set<string>();
  let hops = 0;
  const follow = (target: string): void => {
    const { root } = parse(target);
    let at = root;
    const parts = target.slice(root.length).split(sep).filter(Boolean);
    for (const [i, part] of parts.entries()) {
      const next = resolve(at, part);
      const link = linkAt(next);
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

/** The literal part of a pattern's path, with one more segment: `/a/b/*.yaml` → `/a/b/_`. */
function fixedPart(pattern: string): string {
  const parts = pattern.split(sep);
  const wild = parts.findIndex((part) => /[*?[{]/.test(part));
  return wild < 0 ? pattern : [...parts.slice(0, wild), '_'].join(sep);
}

/** The existing directories in which files that the pattern matches may appear, if it does not name them itself. */
function directoriesOfPattern(pattern: string): string[] {
  const directory = dirname(pattern);
  return fixedPart(pattern) === pattern || dirname(fixedPart(pattern)) === directory ? [] : globSync(directory);
}

function linkOf(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : null;
  } catch {
    return null;
  }
}

export class FileWatcher {
  readonly #clock: Clock;
  readonly #hint: (by: Notice) => void;
  readonly #watcher: FSWatcher;
  #plan: FollowSettings = NOT_FOLLOWED;
  #poll: Timer | null = null;
  #files: readonly string[] = [];
  #globs: readonly string[] = [];
  /** The resolved paths of the files. */
  #places: ReadonlySet<string> = new Set();
  /** The stamps of the files when they were last read. */
  #read: ReadonlyMap<string, Stamp> = new Map();
  /** The stamps of everything watched at the last check. */
  #seen = '';
  /** More than one lot of files: their stamps are as old as the last look at their lot. */
  #lots: Lots | null = null;
  #period = 0;
  #directories = new Set<string>();
  /** The existing directories that the patterns mean. */
  #meant: ReadonlySet<string> = new Set();
  #settling: Timer | null = null;
  #firstEvent = 0;
  /** The time until which nothing may change in place (monotonic ms); null: nothing has changed. */
  #quietAt: number | null = null;
  #quieting: Timer | null = null;
  #unseen: Timer[] = [];
  #closed = false;

  constructor(clock: Clock, hint: (by: Notice) => void) {
    this.#clock = clock;
    this.#hint = hint;
    this.#watcher = watch([], { depth: 0, ignoreInitial: true, followSymlinks: false, atomic: false });
    // `raw` delivers the system's events at once; the others add chokidar's conclusions.
    this.#watcher.on('raw', (event, name, details) => this.#raw(event, name, details));
    this.#watcher.on('all', () => this.#event());
    // A directory has vanished or may not be read: the poll remains.
    this.#watcher.on('error', () => {});
  }

  /** Watches the targets of these paths and possible matches of these absolute patterns, and nothing else. */
  update(files: readonly string[], globs: readonly string[], plan: FollowSettings): void {
    if (this.#closed) return;
    this.#plan = plan;
    this.#files = files;
    this.#globs = globs;
    this.#places = new Set(files.map(realPath));
    const paths = this.#paths();
    this.#lots = paths.length <= LOT ? null : { paths, stamps: this.#stampsOf(paths), next: 0, changes: 0 };
    this.#read = new Map(this.#stamps());
    this.#seen = this.#state(this.#read);
    this.#watchDirectories();
    if (plan.watch) this.#startPoll(POLL / Math.max(1, Math.ceil(paths.length / LOT)));
    else this.#rest();
  }

  #startPoll(period: number): void {
    if (this.#poll !== null && period === this.#period) return;
    this.#poll?.cancel();
    this.#period = period;
    this.#poll = this.#clock.every(period, () => this.#look());
  }

  #watchDirectories(): void {
    const { watch: follows } = this.#plan;
    const wanted = new Set<string>();
    this.#meant = new Set(this.#globs.flatMap(directoriesOfPattern));
    const inside = [...this.#meant].map((directory) => join(directory, '_'));
    const paths = [...this.#files, ...this.#globs.map(fixedPart), ...inside];
    const linkAt = linkReader();
    for (const path of follows ? paths : []) for (const directory of directoriesOf(path, linkAt)) wanted.add(directory);
    const added = [...wanted].filter((one) => !this.#directories.has(one));
    const removed = [...this.#directories].filter((one) => !wanted.has(one));
    if (removed.length > 0) this.#watcher.unwatch(removed);
    if (added.length > 0) {
      this.#watcher.add(added);
      // Watching begins a little later, and changes until then cause no event.
      for (const timer of this.#unseen) timer.cancel();
      this.#unseen = [];
      for (const ms of UNSEEN) this.#unseen.push(this.#clock.after(ms, () => this.#give('poll')));
    }
    this.#directories = wanted;
  }

  /** Stops all checks. */
  #rest(): void {
    for (const timer of [this.#poll, this.#settling, this.#quieting, ...this.#unseen]) timer?.cancel();
    this.#poll = this.#settling = this.#quieting = this.#quietAt = null;
    this.#unseen = [];
  }

  /**
   * Whether a file seems to be being written in place. Its content may be incomplete: a hint follows once it is quiet.
   */
  get unsettled(): boolean {
    return this.#plan.watch && !this.#closed && !this.#quiet('watch');
  }

  /** The system's event: `change` means a file's content or mode, `rename` its name. */
  #raw(event: string, name: unknown, details: unknown): void {
    const { watchedPath } = details as { readonly watchedPath?: string };
    const inDirectory = typeof name === 'string' && watchedPath !== undefined && this.#directories.has(watchedPath);
    // A watch on the file itself also reports a change when the file is replaced, so only the directory's counts.
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
      // A new directory may be one that a pattern means.
      if (this.#globs.flatMap(directoriesOfPattern).some((one) => !this.#meant.has(one))) this.#watchDirectories();
      this.#give('watch');
    });
  }

  #look(): void {
    if (this.#lots !== null) this.#lookAtLot(this.#lots);
    if (this.#state(this.#stamps()) !== this.#seen) this.#give('poll');
  }

  #lookAtLot(lots: Lots): void {
    const { paths, stamps, next } = lots;
    for (const path of paths.slice(next, next + LOT)) {
      const now = stampOf(path);
      const { file, state } = stamps.get(path) ?? MISSING;
      if (now.file === file && now.state === state) continue;
      stamps.set(path, now);
      lots.changes++;
    }
    lots.next = next + LOT < paths.length ? next + LOT : 0;
    // Files that have come, or that have gone, are noticed once in a round.
    if (lots.next === 0 && this.#paths().length !== paths.length) lots.changes++;
  }

  #give(by: Notice): void {
    if (!this.#closed && this.#quiet(by)) this.#hint(by);
  }

  /** If false, the hint is given once it is quiet. */
  #quiet(by: Notice): boolean {
    const now = this.#clock.now();
    const stamps = this.#stamps();
    const seen = this.#state(stamps);
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

  /** Whether any file is the same file as before with another content. */
  #changedInPlace(stamps: ReadonlyMap<string, Stamp>): boolean {
    for (const [path, { file, state }] of stamps) {
      const read = this.#read.get(path);
      if (read !== undefined && read.file === file && read.state !== state) return true;
    }
    return false;
  }

  #paths(): string[] {
    return [...new Set([...this.#files, ...this.#globs.flatMap(matchingFiles)])];
  }

  #stamps(): Map<string, Stamp> {
    return this.#lots?.stamps ?? this.#stampsOf(this.#paths());
  }

  /** Of many files, those that are known keep their stamps until the next look at their lot. */
  #stampsOf(paths: readonly string[]): Map<string, Stamp> {
    return new Map(paths.map((path) => [path, this.#lots?.stamps.get(path) ?? stampOf(path)]));
  }

  /** Differs if any stamp does. */
  #state(stamps: ReadonlyMap<string, Stamp>): string {
    return this.#lots === null ? textOf(stamps) : String(this.#lots.changes);
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
