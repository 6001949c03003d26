/**
 * What of a Plan is handed to somebody who has another: what that one has already is named by its place there. Cold.
 *
 * A mark stands for a pool or a route by all that it means, so two plans can be compared by whoever has but one of them.
 * An edit of one route among ten thousand hands over one.
 */
import { createHash } from 'node:crypto';
import type { Piece, SerializedPlan, SerializedRoute } from './serialized-plan.ts';
import type { PoolPlan } from './types.ts';

/** Of the pools and routes of a plan, in their order: each so many characters. */
export interface Fingerprints {
  readonly pools: string;
  readonly routes: string;
}

/** Characters of a mark: 132 bits. */
const LENGTH = 22;

export interface PlanDelta {
  readonly rest: SerializedPlan['rest'];
  readonly pools: readonly Piece<PoolPlan>[];
  readonly routes: readonly Piece<SerializedRoute>[];
}

export function fingerprintsOf({ pools, routes }: SerializedPlan): Fingerprints {
  return { pools: pools.map(markOf).join(''), routes: routes.map(markOf).join('') };
}

function markOf(piece: PoolPlan | SerializedRoute): string {
  return createHash('sha256').update(JSON.stringify(piece)).digest('base64url').slice(0, LENGTH);
}

/** Equal for plans that mean the same. `marks`: its own. */
export function digestOf({ rest }: SerializedPlan, marks: Fingerprints): string {
  return createHash('sha256')
    .update(JSON.stringify([rest, marks]))
    .digest('hex');
}

/** `marks`: of the serialized plan; `base`: of the plan that the other has, if there is one. */
export function planDelta(
  { rest, pools, routes }: SerializedPlan,
  marks: Fingerprints,
  base: Fingerprints | null,
): PlanDelta {
  return {
    rest,
    pools: pieces(pools, marks.pools, base?.pools ?? ''),
    routes: pieces(routes, marks.routes, base?.routes ?? ''),
  };
}

function pieces<T>(all: readonly T[], marks: string, base: string): Piece<T>[] {
  const markAt = (list: string, place: number): string => list.slice(place * LENGTH, (place + 1) * LENGTH);
  const places = new Map<string, number>();
  for (let place = 0; place < base.length / LENGTH; place++) places.set(markAt(base, place), place);
  return all.map((one, place) => places.get(markAt(marks, place)) ?? one);
}

/** A new piece costs far more than a place; this many places, or a hundredth of it new ones, are one lot. */
const LOT = 2000;
const NEW = 100;

/** Divides pieces so that each lot is a little work for whoever takes it. */
export function* lotsOf<T>(all: readonly Piece<T>[]): Generator<readonly Piece<T>[]> {
  let from = 0;
  let weight = 0;
  for (const [i, piece] of all.entries()) {
    weight += typeof piece === 'number' ? 1 : NEW;
    if (weight < LOT) continue;
    yield all.slice(from, i + 1);
    from = i + 1;
    weight = 0;
  }
  if (from < all.length) yield all.slice(from);
}
