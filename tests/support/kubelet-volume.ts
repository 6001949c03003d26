/**
 * A ConfigMap or Secret as the kubelet mounts it, written as its atomic writer does (kubernetes, pkg/volume/util/atomic_writer.go).
 *
 * The files are links to `..data/NAME`; `..data` is a link to a directory named after the time of the version, replaced by a
 * rename; the directory before is removed. Releases differ in whether the links of new names come before the rename or after.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export type Payload = Readonly<Record<string, string>>;

export interface Steps {
  /** Called after each single step on the file system. */
  readonly after?: (step: string) => void;
  /** Are links of new names made before the version is published? */
  readonly linksFirst?: boolean;
}

export class KubeletVolume {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
  }

  write(payload: Payload, { after = () => {}, linksFirst = false }: Steps = {}): void {
    const old = this.#current();
    const time = new Date().toISOString().replace(/[-:T]/g, '_').replace(/\..*/, '.');
    const fresh = mkdtempSync(join(this.directory, `..${time}`));
    chmodSync(fresh, 0o755);
    after('directory made');
    for (const [name, text] of Object.entries(payload)) {
      writeFileSync(join(fresh, name), text, { mode: 0o644 });
      after(`${name} written`);
    }
    if (linksFirst) this.#link(payload, after);
    symlinkSync(fresh.slice(this.directory.length + 1), join(this.directory, '..data_tmp'));
    after('link made');
    renameSync(join(this.directory, '..data_tmp'), join(this.directory, '..data'));
    after('published');
    if (!linksFirst) this.#link(payload, after);
    if (old === null) return;
    for (const name of readdirSync(join(this.directory, old))) {
      if (Object.hasOwn(payload, name)) continue;
      unlinkSync(join(this.directory, name));
      after(`link of ${name} removed`);
    }
    rmSync(join(this.directory, old), { recursive: true });
    after('old directory removed');
  }

  #link(payload: Payload, after: (step: string) => void): void {
    const there = new Set(readdirSync(this.directory));
    for (const name of Object.keys(payload)) {
      if (there.has(name)) continue;
      symlinkSync(join('..data', name), join(this.directory, name));
      after(`link of ${name} made`);
    }
  }

  #current(): string | null {
    const path = join(this.directory, '..data');
    return existsSync(path) ? readlinkSync(path) : null;
  }
}
