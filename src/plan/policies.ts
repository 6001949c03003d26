/** Plans the policies: resolves names, checks header edits. Cold. */
import type {
  FieldEditsConfig,
  GatewayConfig,
  PolicyConfig,
  RewritePolicyConfig,
  RouteConfig,
} from '../config/schema.gen.ts';
import { encodePath } from '../http/path.ts';
import { isOurs } from '../kit/own-fields.ts';
import { checkNameSigns, checkPathSigns, checkReplacementSigns } from './literal-patterns.ts';
import { withoutSlash } from './matches.ts';
import { type PathReader, planRulePath } from './paths.ts';
import { type PlanScope } from './scope.ts';
import type { ModuleSource } from '../kit/versioned-modules.ts';
import { segment } from '../config/walk.ts';
import { planCachePolicy } from './caches.ts';
import { planCors } from './cors.ts';
import type { AclPlan, FieldEdits, PolicyPlan } from './types.ts';
import type { DisabledPolicy } from './types/disabled.ts';
import type { PathPlan } from './types/match.ts';
import type { CachePlan } from './types/cache.ts';
import type { PoolPlan } from './types/pool.ts';

export interface PolicyNames {
  readonly acls: ReadonlyMap<string, AclPlan>;
  readonly caches: ReadonlyMap<string, CachePlan>;
  /** By absolute path. */
  readonly modules: ReadonlyMap<string, ModuleSource>;
  readonly pools: ReadonlyMap<string, PoolPlan>;
  /** The path that the route matches; null: any path, or an earlier policy rewrites it. */
  readonly path: PathPlan | null;
  /** The methods that the route matches; null: any. */
  readonly methods: readonly string[] | null;
  /** The listeners that the route serves. */
  readonly readers: readonly PathReader[];
}

export function planPolicy(
  config: PolicyConfig,
  pointer: string,
  { acls, caches, modules, pools, path, methods, readers }: PolicyNames,
  scope: PlanScope,
): PolicyPlan | null {
  switch (config.type) {
    case 'acl': {
      const acl = scope.find(acls, 'acl', config.acl, `${pointer}/acl`);
      return acl === null ? null : { type: 'acl', acl };
    }
    case 'buffer':
      if (config.size === 0) scope.problem(`${pointer}/size`, 'would refuse every body', 'write a size such as 1MiB');
      return { type: 'buffer', size: config.size };
    case 'cache':
      return planCachePolicy(config, pointer, caches, scope);
    case 'compress':
      return {
        type: 'compress',
        encodings: config.encodings.map((coding) => ({ coding, level: config.levels[coding] })),
        minimumSize: config.minimum_size,
        types: config.types.map((type) => type.toLowerCase()),
      };
    case 'cors':
      return planCors(config, pointer, methods, scope);
    case 'decompress':
      return {
        type: 'decompress',
        encodings: config.encodings,
        maxSize: config.max_size,
        maxRatio: config.max_ratio,
      };
    case 'headers':
      return {
        type: 'headers',
        request: planEdits(config.request, `${pointer}/request`, scope),
        response: planEdits(config.response, `${pointer}/response`, scope),
      };
    case 'module': {
      config.pools.forEach((name, i) => scope.find(pools, 'pool', name, `${pointer}/pools/${i}`));
      // A module that can't be used is a problem already.
      const source = modules.get(config.module);
      if (source === undefined) return null;
      const { path: file, digest } = source;
      return { type: 'module', module: file, digest, config: config.config, pools: config.pools };
    }
    case 'rewrite':
      return planRewrite(config, pointer, path, readers, scope);
  }
}

/** The disabled policies of enabled listeners and routes. */
export function disabledPolicies({ listeners, routes }: Pick<GatewayConfig, 'listeners' | 'routes'>): DisabledPolicy[] {
  return [
    ...Object.entries(listeners).flatMap(([name, one]) =>
      one.protocol === 'http' ? disabledOf('listener', name, one) : [],
    ),
    ...routes.flatMap((one) => disabledOf('route', one.name, one)),
  ];
}

function disabledOf(
  kind: DisabledPolicy['kind'],
  name: string,
  { enabled, policies }: Pick<RouteConfig, 'enabled' | 'policies'>,
): DisabledPolicy[] {
  if (!enabled) return [];
  let at = 0;
  return policies.flatMap((policy) => {
    if (!policy.enabled) return { kind, name, type: policy.type, at };
    at++;
    return [];
  });
}

function planRewrite(
  config: RewritePolicyConfig,
  pointer: string,
  path: PathPlan | null,
  readers: readonly PathReader[],
  scope: PlanScope,
): PolicyPlan {
  checkPathSigns(config.prefix, 'rewrite', `${pointer}/prefix`, scope);
  checkReplacementSigns(
    config.replacement,
    `${pointer}/replacement`,
    'the rest of the path follows it by itself',
    scope,
  );
  const prefix = planRulePath(withoutSlash(config.prefix), `${pointer}/prefix`, readers, scope);
  if (path !== null && path.kind !== 'regex' && !isBelow(path.value, prefix)) {
    const possible = path.kind === 'prefix' && isBelow(prefix, path.value);
    if (!possible)
      scope.warning(`${pointer}/prefix`, `never applies: the route takes ${path.value}`, `write ${path.value}`);
  }
  return { type: 'rewrite', prefix, replacement: encodePath(config.replacement) };
}

/** By whole segments. */
function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** Reports names that only the gateway may write. */
export function checkNames(names: readonly string[], pointer: string, scope: PlanScope): void {
  for (const name of names) {
    if (isOurs(name)) scope.problem(`${pointer}/${segment(name)}`, `${name} is the gateway's own to write`);
    if (name.includes('*'))
      scope.warning(`${pointer}/${segment(name)}`, '* stands for itself here', 'names are no patterns: name each one');
  }
}

function planEdits({ set, add, remove }: FieldEditsConfig, pointer: string, scope: PlanScope): FieldEdits {
  checkNames(Object.keys(set), `${pointer}/set`, scope);
  checkNames(Object.keys(add), `${pointer}/add`, scope);
  remove.forEach((name, i) => {
    checkNameSigns(name, `${pointer}/remove/${i}`, scope);
    if (isOurs(name)) scope.problem(`${pointer}/remove/${i}`, `${name} is the gateway's own to write`);
  });
  return { set: Object.entries(set), add: Object.entries(add), remove: remove.map((name) => name.toLowerCase()) };
}
