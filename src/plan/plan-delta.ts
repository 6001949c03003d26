/**
 * The difference between a Plan and one that the receiver already has: known parts are replaced by their index. Cold.
 *
 * A fingerprint covers everything that a certificate, a pool or a route means, so two plans can be compared with only one of them at
 * hand. After an edit of one route among ten thousand, the delta contains one route.
 */
import { createHash } from 'node:crypto';
import type { Piece, SerializedPlan, SerializedRoute } from './serialized-plan.ts';
import type { PoolPlan } from './types/pool.ts';
import type { CertificatePlan } from './types/tls.ts';

/** The fingerprints of a plan's certificates, pools and routes, in order, each of a fixed length. */
export interface Fingerprints {
  readonly certificates: string;
  readonly pools: string;
  readonly routes: string;
}

/** Characters of a fingerprint: 132 bits. */
const LENGTH = 22;

export interface PlanDelta {
  readonly rest: SerializedPlan['rest'];
  readonly certificates: readonly Piece<CertificatePlan>[];
  readonly pools: readonly Piece<PoolPlan>[];
  readonly routes: readonly Piece<SerializedRoute>[];
}

export function fingerprintsOf({ certificates, pools, routes }: SerializedPlan): Fingerprints {
  return {
    certificates: certificates.map((one) => markOf(withoutTexts(one))).join(''),
    pools: pools.map(markOf).join(''),
    routes: routes.map(markOf).join(''),
  };
}

/** The digest of a certificate covers its chain and its key. */
export function withoutTexts(one: CertificatePlan): CertificatePlan {
  return one.type === 'file' ? { ...one, chain: '', key: '' } : one;
}

function markOf(piece: CertificatePlan | PoolPlan | SerializedRoute): string {
  return createHash('sha256').update(JSON.stringify(piece)).digest('base64url').slice(0, LENGTH);
}

/** Equal for plans that mean the same. `marks`: the plan's own fingerprints. */
export function digestOf({ rest }: SerializedPlan, fingerprints: Fingerprints): string {
  return createHash('sha256')
    .update(JSON.stringify([rest, fingerprints]))
    .digest('hex');
}

/** `marks`: the fingerprints of the serialized plan; `base`: those of the plan that the receiver has, if any. */
export function planDelta(
  { rest, certificates, pools, routes }: SerializedPlan,
  fingerprints: Fingerprints,
  base: Fingerprints | null,
): PlanDelta {
  return {
    rest,
    certificates: pieces(certificates, fingerprints.certificates, base?.certificates ?? ''),
    pools: pieces(pools, fingerprints.pools, base?.pools ?? ''),
    routes: pieces(routes, fingerprints.routes, base?.routes ?? ''),
  };
}

function pieces<T>(all: readonly T[], fingerprints: string, base: string): Piece<T>[] {
  const markAt = (list: string, place: number): string => list.slice(place * LENGTH, (place + 1) * LENGTH);
  const places = new Map<string, number>();
  for (let place = 0; place < base.length / LENGTH; place++) places.set(markAt(base, place), place);
  return all.map((one, place) => places.get(markAt(fingerprints, place)) ?? one);
}

/** A batch holds LOT indexes; a new piece costs far more than an index, and counts as NEW of them. */
const LOT = 2000;
const NEW = 100;

/** Divides pieces into batches that each take the receiver little time. */
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
