/** What a clone of the repository must hold for its two commands to work anywhere. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compileOnce } from '../src/runtime/compile/compile.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Package {
  readonly version?: string;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

describe('packages', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };

  test('the lockfile holds the packages of every platform, or npm ci fails on all but the one it was made on', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  test('the lockfile names no registry', () => {
    expect(Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  test('every version is pinned', () => {
    const own = JSON.parse(read('package.json')) as Package;
    const versions = Object.entries({ ...own.dependencies, ...own.devDependencies, ...own.optionalDependencies });
    expect(versions.length).toBeGreaterThan(10);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });
});

describe('documents', () => {
  // The one for Kubernetes needs its mounts: tests/reload/kubernetes.test.ts has them.
  test.each(
    globSync('{configs,examples}/**/*.{yaml,json5}', { cwd: root }).filter(
      (file) => /^configs\/|\/gateway\./.test(file) && !file.startsWith('examples/kubernetes/'),
    ),
  )('%s is a config without problems', (file) => {
    expect(compileOnce(join(root, file), {}).problems).toEqual([]);
  });

  const pages = globSync('{*.md,docs/**/*.md,examples/**/*.md,tests/**/*.md}', { cwd: root });

  test.each(pages)('%s links to nothing that is not there', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    const missing = local.filter((target) => globSync(join(root, page, '..', target)).length === 0);
    expect(missing).toEqual([]);
  });
});
