/**
 * Where paths lead during one load: every symbolic link is looked at once, so that all that is read is of one state. Cold.
 *
 * Kubernetes mounts a ConfigMap or Secret as a directory whose files are links into `..data`, itself a link that is
 * re-pointed for a new version; deployments re-point `current`. Should that happen between two reads, both go where the
 * first went; a version that was removed meanwhile is missing, and the load is done again (runtime/compile/compile.ts).
 */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join, parse, resolve, sep } from 'node:path';

/** The link through which the kubelet publishes the versions of a volume. */
const PUBLISHED = '..data';
/** Links followed on the way to one file; as many as Linux follows. */
const MOST_HOPS = 40;

export class Links {
  readonly #targets = new Map<string, string | null>();

  /** The absolute path behind an absolute path, as far as links lead. */
  resolve(path: string): string {
    const { root } = parse(path);
    let at = root;
    let rest = partsOf(path, root);
    for (let hops = 0; rest.length > 0; ) {
      const [part = '', ...after] = rest;
      const published = this.publishedIn(at);
      // What the version holds counts, not which links to it have been made or removed by now.
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

  /** The directory of the version that a mounted volume publishes; null: the directory is none. */
  publishedIn(directory: string): string | null {
    const target = this.#targetOf(join(directory, PUBLISHED));
    return target === null ? null : resolve(directory, target);
  }

  /** A name in a mounted volume is of its versions if it is a link into them, or is not there yet. */
  #isOfVolume(directory: string, name: string): boolean {
    const path = join(directory, name);
    const target = this.#targetOf(path);
    if (target !== null) return dirname(target) === PUBLISHED;
    try {
      return lstatSync(path, { throwIfNoEntry: false }) === undefined;
    } catch {
      // Reading the file says what is wrong with its path.
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
