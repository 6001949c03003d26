/**
 * Recovers the valid part of a document by removing everything that the schema refuses, so that planning can check the
 * rest in the same run and report all problems at once. Cold; the resulting plan is never used.
 */
import { segments } from './parsed-file.ts';
import type { Problem } from './problem.ts';
import { isRecord } from './walk.ts';

export interface Salvaged {
  readonly document: Record<string, unknown>;
  /** The position in the config of a route of the recovered document. */
  routeAt(index: number): number;
  /** Whether an item of that name was removed: then a reference to it is not another problem. */
  lost(kind: string, name: string): boolean;
}

const MAPS = new Set(['acme', 'certificates', 'acls', 'caches', 'pools', 'listeners']);

/** A document from which nothing was removed. */
export function whole(document: Record<string, unknown>): Salvaged {
  return { document, routeAt: (index) => index, lost: () => false };
}

export function salvage(written: Record<string, unknown>, problems: readonly Problem[]): Salvaged {
  const document: Record<string, unknown> = { ...written, version: 1 };
  for (const name of MAPS) if (isRecord(document[name])) document[name] = { ...document[name] };
  const lost = new Set<string>();
  const badRoutes = new Set<number>();
  for (const { pointer } of problems) {
    const [section = '', name] = segments(pointer);
    const map = document[section];
    if (section === 'routes' && name !== undefined) badRoutes.add(Number(name));
    else if (MAPS.has(section) && name !== undefined && isRecord(map)) {
      delete map[name];
      lost.add(`${section}/${name}`);
    } else if (section !== '' && section !== 'version') {
      delete document[section];
      lost.add(`${section}/`);
    }
  }
  const routes: unknown[] = Array.isArray(document['routes']) ? document['routes'] : [];
  const kept = routes.map((_, i) => i).filter((i) => !badRoutes.has(i));
  document['routes'] = kept.map((i) => routes[i]);
  return {
    document,
    routeAt: (index) => kept[index] ?? index,
    lost: (kind, name) =>
      [kind, `${kind}s`].some((section) => lost.has(`${section}/`) || lost.has(`${section}/${name}`)),
  };
}
