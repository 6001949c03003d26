/** Disks on which things go wrong. */
import { type Disk, systemDisk } from '../../src/kit/disk.ts';

const WRITES = ['touch', 'replace', 'create', 'remove', 'makeDirectory'] as const;
export type Write = (typeof WRITES)[number];

export interface TroubledDisk extends Disk {
  /** Writes that were tried. */
  readonly tried: Write[];
  /** What is wrong with the next write; null: nothing. */
  trouble: (what: Write, path: string) => string | null;
}

/** A real one whose writes may fail with the code that `trouble` answers. */
export function troubledDisk(): TroubledDisk {
  const tried: Write[] = [];
  const disk: TroubledDisk = { ...systemDisk, tried, trouble: () => null };
  const check = (what: Write, path: string): void => {
    tried.push(what);
    const code = disk.trouble(what, path);
    if (code !== null) throw Object.assign(new Error(`${code}: ${what} '${path}'`), { code });
  };
  return Object.assign(disk, {
    touch: async (path: string, ms: number) => {
      check('touch', path);
      await systemDisk.touch(path, ms);
    },
    replace: async (path: string, data: string) => {
      check('replace', path);
      await systemDisk.replace(path, data);
    },
    create: async (path: string, data: string) => {
      check('create', path);
      return systemDisk.create(path, data);
    },
    remove: async (path: string) => {
      check('remove', path);
      await systemDisk.remove(path);
    },
    makeDirectory: async (path: string) => {
      check('makeDirectory', path);
      await systemDisk.makeDirectory(path);
    },
  } satisfies Partial<Disk>);
}
