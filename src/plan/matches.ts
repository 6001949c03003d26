/** The conditions of routes, in the form that the router compiles. Cold. */
import type { FieldMatch, MatchConfig, PathMatch } from '../config/schema.gen.ts';
import { normalizePath } from '../http/path.ts';
import { type PlanScope, segment } from './scope.ts';
import type { FieldMatchPlan, MatchPlan, PathPlan } from './types.ts';

export function planMatch(config: MatchConfig, pointer: string, scope: PlanScope): MatchPlan {
  return {
    hosts: config.host?.map((host) => host.toLowerCase().replace(/\.$/, '')) ?? null,
    path: config.path === undefined ? null : planPath(config.path, `${pointer}/path`, scope),
    methods: config.methods ?? null,
    headers: planFields(config.headers, `${pointer}/headers`, true, scope),
    query: planFields(config.query, `${pointer}/query`, false, scope),
  };
}

function planPath(config: PathMatch, pointer: string, scope: PlanScope): PathPlan {
  if (config.regex !== undefined) return { kind: 'regex', value: config.regex };
  const written = config.exact ?? config.prefix ?? '/';
  // Requests are matched in normal form, so a path that is not in it would never match.
  const normal = normalizePath(written);
  if (normal !== written) {
    scope.problem(
      pointer,
      'is not in normal form and would never match',
      normal === null ? undefined : `write ${normal}`,
    );
  }
  if (config.exact !== undefined) return { kind: 'exact', value: written };
  return { kind: 'prefix', value: written.length > 1 ? written.replace(/\/+$/, '') || '/' : written };
}

function planFields(
  fields: Readonly<Record<string, FieldMatch>>,
  pointer: string,
  headers: boolean,
  scope: PlanScope,
): FieldMatchPlan[] {
  return Object.entries(fields).map(([written, condition]) => {
    const name = headers ? written.toLowerCase() : written;
    if (headers && !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))
      scope.problem(`${pointer}/${segment(written)}`, 'is not a header field name');
    return planField(name, condition);
  });
}

export function planField(name: string, { exact, regex, present }: FieldMatch): FieldMatchPlan {
  if (regex !== undefined) return { name, kind: 'regex', value: regex };
  if (present !== undefined) return { name, kind: 'present', value: String(present) };
  return { name, kind: 'exact', value: exact ?? '' };
}
