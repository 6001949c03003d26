/** Policies: names found, header edits checked. Cold. */
import type { FieldEditsConfig, PolicyConfig } from '../config/schema.gen.ts';
import { type PlanScope, segment } from './scope.ts';
import { planCachePolicy } from './caches.ts';
import type { AclPlan, FieldEdits, PolicyPlan } from './types.ts';
import type { CachePlan } from './types/cache.ts';

/** Fields that belong to one connection or say how long a message is: nobody but the gateway may write them. */
const OURS = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface PolicyNames {
  readonly acls: ReadonlyMap<string, AclPlan>;
  readonly caches: ReadonlyMap<string, CachePlan>;
}

export function planPolicy(
  config: PolicyConfig,
  pointer: string,
  { acls, caches }: PolicyNames,
  scope: PlanScope,
): PolicyPlan | null {
  switch (config.type) {
    case 'acl': {
      const acl = scope.find(acls, 'acl', config.acl, `${pointer}/acl`);
      return acl === null ? null : { type: 'acl', acl };
    }
    case 'cache':
      return planCachePolicy(config, pointer, caches, scope);
    case 'headers':
      return {
        type: 'headers',
        request: planEdits(config.request, `${pointer}/request`, scope),
        response: planEdits(config.response, `${pointer}/response`, scope),
      };
    case 'rewrite':
      return { type: 'rewrite', prefix: withoutSlash(config.prefix), replacement: config.replacement };
  }
}

/** May nobody but the gateway write that field? */
export function isOurs(name: string): boolean {
  return OURS.has(name.toLowerCase());
}

function withoutSlash(prefix: string): string {
  return prefix.length > 1 ? prefix.replace(/\/+$/, '') || '/' : prefix;
}

/** Tells of names that only the gateway may write. */
export function checkNames(names: readonly string[], pointer: string, scope: PlanScope): void {
  for (const name of names) {
    if (isOurs(name)) scope.problem(`${pointer}/${segment(name)}`, `${name} is the gateway's own to write`);
  }
}

function planEdits({ set, add, remove }: FieldEditsConfig, pointer: string, scope: PlanScope): FieldEdits {
  checkNames(Object.keys(set), `${pointer}/set`, scope);
  checkNames(Object.keys(add), `${pointer}/add`, scope);
  remove.forEach((name, i) => {
    if (isOurs(name)) scope.problem(`${pointer}/remove/${i}`, `${name} is the gateway's own to write`);
  });
  return { set: Object.entries(set), add: Object.entries(add), remove: remove.map((name) => name.toLowerCase()) };
}
