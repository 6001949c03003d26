/**
 * Finds routes that can never match, because an earlier route takes all their requests. Cold.
 *
 * A route is hidden by an earlier one that serves its listeners and whose conditions are all equal or wider. Only
 * certain cases are reported: a regular expression hides only its equal. Candidates are looked up by host and by the
 * path's ancestors, so ten thousand routes don't take ten thousand squared comparisons.
 */
import { canonical } from '../kit/canonical.ts';
import type { MatchPlan, PathPlan } from './types/match.ts';
import type { RoutePlan } from './types.ts';

/** Calls `found` with each hidden route and the one that hides it, as indexes. */
export function findHidden(routes: readonly RoutePlan[], found: (hidden: number, by: number) => void): void {
  const earlier = new Map<string, number[]>();
  routes.forEach((route, index) => {
    const by = candidates(route.match, earlier).find((other) => covers(routes[other]!, route));
    if (by !== undefined) found(index, by);
    for (const host of route.match.hosts ?? ['']) {
      const key = `${host} ${pathKey(route.match.path)}`;
      const list = earlier.get(key);
      if (list === undefined) earlier.set(key, [index]);
      else if (list.length < 64) list.push(index);
    }
  });
}

function pathKey(path: PathPlan | null): string {
  return path === null ? '' : `${path.kind} ${path.value}`;
}

function candidates(match: MatchPlan, earlier: ReadonlyMap<string, number[]>): number[] {
  const paths = ['', 'prefix /', pathKey(match.path)];
  if (match.path !== null && match.path.kind !== 'regex') {
    const { value } = match.path;
    paths.push(`prefix ${value}`);
    for (let slash = value.lastIndexOf('/'); slash > 0; slash = value.lastIndexOf('/', slash - 1))
      paths.push(`prefix ${value.slice(0, slash)}`);
  }
  const first = match.hosts?.[0];
  const hosts = ['', ...(first === undefined ? [] : [first, ...wildcardsAbove(first)])];
  return hosts.flatMap((host) => paths.flatMap((path) => earlier.get(`${host} ${path}`) ?? []));
}

/** `a.b.c` → `*.b.c`, `*.c`. */
export function wildcardsAbove(host: string): string[] {
  const bare = host.startsWith('*.') ? host.slice(2) : host;
  const out: string[] = [];
  for (let dot = bare.indexOf('.'); dot > 0; dot = bare.indexOf('.', dot + 1)) out.push(`*${bare.slice(dot)}`);
  return out;
}

/** Whether `wide` matches every request that `narrow` matches. */
export function covers(wide: RoutePlan, narrow: RoutePlan): boolean {
  const a = wide.match;
  const b = narrow.match;
  return (
    subset(narrow.listeners, wide.listeners, (x, y) => x === y) &&
    subset(b.hosts, a.hosts, hostWithin) &&
    pathWithin(b.path, a.path) &&
    subset(b.methods, a.methods, (x, y) => x === y) &&
    a.headers.every((one) => b.headers.some((other) => canonical(one) === canonical(other))) &&
    a.query.every((one) => b.query.some((other) => canonical(one) === canonical(other)))
  );
}

/** Whether `wide` allows everything that `narrow` allows. null allows all. */
export function subset<T>(
  narrow: readonly T[] | null,
  wide: readonly T[] | null,
  within: (a: T, b: T) => boolean,
): boolean {
  if (wide === null) return true;
  return narrow !== null && narrow.every((a) => wide.some((b) => within(a, b)));
}

export function hostWithin(narrow: string, wide: string): boolean {
  if (narrow === wide) return true;
  return wide.startsWith('*.') && (narrow.startsWith('*.') ? narrow.slice(1) : narrow).endsWith(wide.slice(1));
}

function pathWithin(narrow: PathPlan | null, wide: PathPlan | null): boolean {
  if (wide === null) return true;
  if (narrow === null) return false;
  if (narrow.kind === wide.kind && narrow.value === wide.value) return true;
  if (wide.kind !== 'prefix' || narrow.kind === 'regex') return false;
  return wide.value === '/' || narrow.value === wide.value || narrow.value.startsWith(`${wide.value}/`);
}
