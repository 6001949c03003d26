/** Plans the settings of a route that override its listener's and pool's. Cold. */
import type { RouteConfig } from '../config/schema.gen.ts';
import type { PlanScope } from './scope.ts';
import type { OverridesPlan } from './types/overrides.ts';

/** Keeps only the settings given. */
function given<T extends object>(settings: T): Partial<T> {
  // All settings are those of T, so a subset of them is a Partial<T>.
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export function planOverrides(config: RouteConfig, pointer: string, scope: PlanScope): OverridesPlan {
  const { timeouts, limits, retries, pool, split } = config;
  if (pool === undefined && split === undefined) {
    const why = 'has no effect: this route sends nothing to a pool';
    if (retries !== undefined) scope.warning(`${pointer}/retries`, why);
    for (const name of ['first_byte', 'idle', 'stream', 'tunnel', 'total', 'body'] as const)
      if (timeouts?.[name] !== undefined) scope.warning(`${pointer}/timeouts/${name}`, why);
  }
  return {
    timeouts:
      timeouts === undefined
        ? null
        : given({
            body: timeouts.body,
            send: timeouts.send,
            firstByte: timeouts.first_byte,
            idle: timeouts.idle,
            stream: timeouts.stream,
            tunnel: timeouts.tunnel,
            total: timeouts.total,
          }),
    limits: limits === undefined ? null : given({ bodySize: limits.body_size }),
    retries:
      retries === undefined
        ? null
        : given({
            attempts: retries.attempts,
            on: retries.on,
            statuses: retries.statuses,
            nonIdempotent: retries.non_idempotent,
            perTryTimeout: retries.per_try_timeout,
            bodySize: retries.body_size,
          }),
  };
}
