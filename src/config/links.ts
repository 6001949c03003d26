/**
 * Resolves paths during one load: it reads every symbolic link once, so that all files come from one state. Cold.
 *
 * Kubernetes mounts a ConfigMap or Secret as a directory whose files are links into `..data`, itself a link that is
 * re-pointed for a new version; deployments re-point `current`. If that happens between two reads, both follow the link
 * as it was at the first. If the old version is removed meanwhile, its files are missing, and the load is repeated
 * (runtime/compile/compile.ts).
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';

/** The link through which the kubelet publishes the versions of a volume. */
const PUBLISHED = '..data';
/** The most links followed on the way to one file, the same as on Linux. */
const MOST_HOPS = 40;

export class Links {
  readonly #targets = new Map<string, string | null>();

  /** Resolves the links of an absolute path as far as possible. */
  resolve(path: string): string {
    const { root } = parse(path);
    let at = root;
    let rest = partsOf(path, root);
    for (let hops = 0; rest.length > 0; ) {
      const [part = '', ...after] = rest;
      const published = this.publishedIn(at);
      // Look in the published version itself: the links to its files may have been added or removed by now.
      if (published !== null && !part.startsWith('..') && this.#isOfVolume(at, part)) {
        at = join(published, part);
        rest = after;
        continue;
      }
      const next = join(at, part);
      const target = hops < MOST_HOPS ? this.#targetOf(next) : null;
      if (target === null) {
        at = next;
        rest = after;
        continue;
      }
      hops++;
      const led = resolve(at, target);
      at = parse(led).root;
      rest = [...partsOf(led, at), ...after];
    }
    return at;
  }

  /** The directory of the version that a mounted volume publishes; null: the directory is not a mounted volume. */
  publishedIn(directory: string): string | null {
    const target = this.#targetOf(join(directory, PUBLISHED));
    return target === null ? null : resolve(directory, target);
  }

  /** A name in a mounted volume belongs to its versions if it is a link into them, or does not exist yet. */
  #isOfVolume(directory: string, name: string): boolean {
    const path = join(directory, name);
    const target = this.#targetOf(path);
    if (target !== null) return dirname(target) === PUBLISHED;
    try {
      return lstatSync(path, { throwIfNoEntry: false }) === undefined;
    } catch {
      // Reading the file reports the problem with its path.
      return false;
    }
  }

  #targetOf(path: string): string | null {
    let target = this.#targets.get(path);
    if (target === undefined) {
      try {
        target = readlinkSync(path);
      } catch {
        target = null;
      }
      this.#targets.set(path, target);
    }
    return target;
  }
}

function partsOf(path: string, root: string): string[] {
  return path.slice(root.length).split(sep).filter(Boolean);
}
