/** The files that a pattern matches. Cold. */
import { globSync, readdirSync } from 'node:fs';
import { join, matchesGlob, sep } from 'node:path';

const WILD = /[*?[{]/;

/**
 * Absolute paths, in no order; a pattern that ends in a slash means folders. A pattern whose folder is fixed needs one
 * listing: of ten thousand files none is looked at.
 */
export function matchingFiles(pattern: string): string[] {
  const folders = pattern.endsWith(sep);
  const path = folders ? pattern.slice(0, -1) : pattern;
  const [folder, name] = [path.slice(0, path.lastIndexOf(sep)), path.slice(path.lastIndexOf(sep) + 1)];
  if (WILD.test(folder)) return globSync(pattern);
  const matches = matcherOf(name);
  return listed(folder === '' ? sep : folder, folders)
    .filter(matches)
    .map((one) => join(folder, one));
}

/** Most patterns are a star and an ending. */
function matcherOf(name: string): (one: string) => boolean {
  const ending = name.slice(1);
  if (!name.startsWith('*') || WILD.test(ending)) return (one) => matchesGlob(one, name);
  return (one) => !one.startsWith('.') && one.endsWith(ending);
}

function listed(folder: string, folders: boolean): string[] {
  try {
    if (!folders) return readdirSync(folder);
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((one) => one.isDirectory() || one.isSymbolicLink()).map((one) => one.name);
  } catch {
    // What does not exist matches nothing.
    return [];
  }
}
