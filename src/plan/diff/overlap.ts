/** Whether two routes may match the same request. Cold. */
import type { FieldMatchPlan, PathPlan } from '../types/match.ts';
import type { RoutePlan } from '../types.ts';

/** False only if no request can match both. */
export function mayMeet(a: RoutePlan, b: RoutePlan): boolean {
  return (
    mayShare(a.match.path, b.match.path, pathsMeet) &&
    anyPair(a.match.hosts, b.match.hosts, hostsMeet) &&
    anyPair(a.match.methods, b.match.methods, (x, y) => x === y) &&
    anyPair(a.listeners, b.listeners, (x, y) => x === y) &&
    fieldsMeet(a.match.headers, b.match.headers) &&
    fieldsMeet(a.match.query, b.match.query)
  );
}

/** null allows everything. */
function mayShare<T>(a: T | null, b: T | null, meet: (a: T, b: T) => boolean): boolean {
  return a === null || b === null || meet(a, b);
}

function anyPair<T>(a: readonly T[] | null, b: readonly T[] | null, meet: (a: T, b: T) => boolean): boolean {
  return mayShare(a, b, (some, others) => some.some((one) => others.some((other) => meet(one, other))));
}

function hostsMeet(a: string, b: string): boolean {
  if (a === b) return true;
  const [wildA, wildB] = [a.startsWith('*.'), b.startsWith('*.')];
  if (wildA && wildB) return a.endsWith(b.slice(1)) || b.endsWith(a.slice(1));
  return (wildA && b.endsWith(a.slice(1))) || (wildB && a.endsWith(b.slice(1)));
}

function pathsMeet(a: PathPlan, b: PathPlan): boolean {
  if (a.kind === 'regex' || b.kind === 'regex') return true;
  if (a.kind === 'exact' && b.kind === 'exact') return a.value === b.value;
  if (a.kind === 'exact') return within(a.value, b.value);
  if (b.kind === 'exact') return within(b.value, a.value);
  return within(a.value, b.value) || within(b.value, a.value);
}

function within(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** A field can't have two different required values, nor be both present and absent. */
function fieldsMeet(a: readonly FieldMatchPlan[], b: readonly FieldMatchPlan[]): boolean {
  return a.every((one) =>
    b.every((other) => {
      if (one.name !== other.name) return true;
      if (one.kind === 'exact' && other.kind === 'exact') return one.value === other.value;
      const absent = (field: FieldMatchPlan): boolean => field.kind === 'present' && field.value === 'false';
      return absent(one) === absent(other);
    }),
  );
}
