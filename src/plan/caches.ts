/** Plans the caches and the policies that use them. Cold. */
import { normalize } from 'node:path';
import type { CacheConditionConfig, CacheConfig, CachePolicyConfig } from '../config/schema.gen.ts';
import { claimOf } from './claims.ts';
import { checkNameSigns } from './literal-patterns.ts';
import { checkDecoded, checkFieldValue } from './matches.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import type { CacheConditionPlan, CachePlan, CachePolicyPlan } from './types/cache.ts';

const lower = (name: string): string => name.toLowerCase();

export function planCaches(caches: Readonly<Record<string, CacheConfig>>, scope: PlanScope): Map<string, CachePlan> {
  checkDirectories(caches, scope);
  return new Map(Object.entries(caches).map(([name, config]) => [name, planCache(name, config, scope)]));
}

/** Each cache needs a directory of its own. */
function checkDirectories(caches: Readonly<Record<string, CacheConfig>>, scope: PlanScope): void {
  const taken: { name: string; path: string }[] = [];
  for (const [name, { disk }] of Object.entries(caches)) {
    if (disk === undefined) continue;
    const path = `${normalize(disk.path)}/`.replace(/\/+$/, '/');
    const pointer = `/caches/${segment(name)}/disk/path`;
    const other = taken.find((one) => one.path.startsWith(path) || path.startsWith(one.path));
    if (other !== undefined) {
      const message =
        other.path === path ? 'is the directory of another cache' : 'and that of another cache are one in the other';
      const place = { pointer: `/caches/${segment(other.name)}/disk/path`, message: `cache ${other.name}` };
      scope.problem(pointer, message, 'give each cache a directory of its own', place);
    }
    taken.push({ name, path });
  }
}

function planCache(name: string, config: CacheConfig, scope: PlanScope): CachePlan {
  const { query, ignore_query: ignoreQuery, sort_query: sortQuery, headers, cookies } = config.key;
  const pointer = `/caches/${segment(name)}/key`;
  query?.forEach((one, i) => checkParameter(one, `${pointer}/query/${i}`, scope));
  ignoreQuery.forEach((one, i) => checkParameter(one, `${pointer}/ignore_query/${i}`, scope));
  headers.forEach((one, i) => checkNameSigns(one, `${pointer}/headers/${i}`, scope));
  cookies.forEach((one, i) => checkNameSigns(one, `${pointer}/cookies/${i}`, scope));
  return {
    name,
    maxSize: config.max_size,
    maxEntrySize: config.max_entry_size,
    disk: config.disk === undefined ? null : { path: config.disk.path, maxSize: config.disk.max_size },
    key: { query: query ?? null, ignoreQuery, sortQuery, headers: headers.map(lower), cookies },
    claim: claimOf('cache', name, 'cache', config),
  };
}

export function planCachePolicy(
  config: CachePolicyConfig,
  pointer: string,
  caches: ReadonlyMap<string, CachePlan>,
  scope: PlanScope,
): CachePolicyPlan | null {
  const cache = scope.find(caches, 'cache', config.cache, `${pointer}/cache`);
  const maxTtl = config.max_ttl ?? null;
  if (maxTtl !== null && config.min_ttl > maxTtl) scope.problem(`${pointer}/min_ttl`, 'is longer than max_ttl');
  if (cache === null) return null;
  return {
    type: 'cache',
    cache: cache.name,
    claim: cache.claim,
    defaultTtl: config.default_ttl ?? null,
    minTtl: config.min_ttl,
    maxTtl,
    staleWhileRevalidate: config.stale_while_revalidate,
    staleIfError: config.stale_if_error,
    staleIfUnreachable: config.stale_if_unreachable,
    collapseWait: config.collapse_wait,
    requestDirectives: config.request_directives,
    setCookie: config.set_cookie,
    unauthorized: config.unauthorized,
    authorization: config.authorization,
    bypass: config.bypass.map((one, i) => planCondition(one, `${pointer}/bypass/${i}`, scope)),
    noStore: config.no_store.map((one, i) => planCondition(one, `${pointer}/no_store/${i}`, scope)),
    finish: config.finish,
    statusHeader: config.status_header,
  };
}

/** Reports a name that no parameter can have. */
function checkParameter(name: string, pointer: string, scope: PlanScope): void {
  checkDecoded(name, pointer, scope);
  if (name.includes('*')) scope.problem(pointer, `${name} would never match: names are no patterns`, 'name each');
}

function planCondition(
  { header, cookie, query, value: wanted }: CacheConditionConfig,
  pointer: string,
  scope: PlanScope,
): CacheConditionPlan {
  const value = wanted ?? null;
  checkNameSigns(header ?? cookie ?? query ?? '', pointer, scope);
  if (value?.includes('*') === true)
    scope.warning(`${pointer}/value`, '* stands for itself here', 'leave value out for any');
  if (query !== undefined) {
    checkDecoded(query, pointer, scope);
    checkDecoded(value ?? '', pointer, scope);
  } else if (header !== undefined) checkFieldValue(value ?? '', pointer, scope);
  if (header !== undefined) return { in: 'header', name: lower(header), value };
  if (cookie !== undefined) return { in: 'cookie', name: cookie, value };
  return { in: 'query', name: query ?? '', value };
}
