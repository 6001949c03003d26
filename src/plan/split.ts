/** Plans routes that send to more than one pool: splits and mirrors. Cold. */
import type { HashKey, RouteConfig, SplitPartConfig } from '../config/schema.gen.ts';
import type { PlanScope } from './scope.ts';
import { planKey } from './strategies.ts';
import type { PoolPlan } from './types/pool.ts';
import type { MirrorPlan, SplitPlan } from './types/traffic.ts';

export function planSplit(
  parts: readonly SplitPartConfig[],
  by: HashKey | undefined,
  pools: ReadonlyMap<string, PoolPlan>,
  pointer: string,
  scope: PlanScope,
): SplitPlan {
  const first = new Map<string, number>();
  parts.forEach(({ pool }, i) => {
    const other = first.get(pool);
    if (other === undefined) first.set(pool, i);
    else
      scope.problem(`${pointer}/split/${i}/pool`, `${pool} is in this split already`, undefined, {
        pointer: `${pointer}/split/${other}/pool`,
        message: 'first here',
      });
  });
  if (parts.every(({ weight }) => weight === 0))
    scope.problem(`${pointer}/split`, 'every pool has weight 0: no request could be sent');
  return {
    type: 'split',
    parts: parts.flatMap((part, i) => {
      const pool = scope.find(pools, 'pool', part.pool, `${pointer}/split/${i}/pool`);
      return pool === null ? [] : { pool, weight: part.weight };
    }),
    by: by === undefined ? null : planKey(by),
  };
}

export function planMirror(
  { mirror, pool, split }: RouteConfig,
  pools: ReadonlyMap<string, PoolPlan>,
  pointer: string,
  scope: PlanScope,
): MirrorPlan | null {
  if (mirror === undefined) return null;
  const sent = pool !== undefined || split !== undefined;
  if (!sent) scope.warning(`${pointer}/mirror`, 'has no effect: only requests that are sent to a pool are mirrored');
  const to = scope.find(pools, 'pool', mirror.pool, `${pointer}/mirror/pool`);
  if (to === null || !sent) return null;
  return { pool: to, share: mirror.share, concurrency: mirror.concurrency, bodySize: mirror.body_size };
}
