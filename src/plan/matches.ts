/** Converts the conditions of routes to the form that requests have and the router compiles. Cold. */
import type { FieldMatch, MatchConfig, PathMatch } from '../config/schema.gen.ts';
import { hostForm } from '../kit/host-name.ts';
import { checkNameSigns, checkPathSigns, checkValueSigns } from './literal-patterns.ts';
import { checkPathPattern, type PathReader, planRulePath, requiredRuns } from './paths.ts';
import { type PlanScope } from './scope.ts';
import { segment } from '../config/walk.ts';
import type { FieldMatchPlan, MatchPlan, PathPlan } from './types/match.ts';

/** `readers`: the listeners that the route serves. */
export function planMatch(
  config: MatchConfig,
  pointer: string,
  readers: readonly PathReader[],
  scope: PlanScope,
): MatchPlan {
  return {
    hosts: config.host?.map(planHost) ?? null,
    path: config.path === undefined ? null : planPath(config.path, `${pointer}/path`, readers, scope),
    methods: config.methods === undefined ? null : [...new Set(config.methods.map(planMethod))],
    headers: planFields(config.headers, `${pointer}/headers`, true, scope),
    query: planFields(config.query, `${pointer}/query`, false, scope),
  };
}

/** The schema has checked that it is a host. */
export function planHost(written: string): string {
  return written.startsWith('*.') ? `*.${hostForm(written.slice(2)) ?? ''}` : (hostForm(written) ?? written);
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** Methods are case-sensitive (RFC 9110 §9.1), and clients send the registered ones in upper case. */
export function planMethod(written: string): string {
  const upper = written.toUpperCase();
  return METHODS.has(upper) ? upper : written;
}

function planPath(config: PathMatch, pointer: string, readers: readonly PathReader[], scope: PlanScope): PathPlan {
  if (config.regex !== undefined) {
    checkPathPattern(config.regex, pointer, readers, scope);
    return { kind: 'regex', value: config.regex };
  }
  if (config.exact !== undefined) checkPathSigns(config.exact, 'exact', pointer, scope);
  else checkPathSigns(config.prefix ?? '/', 'prefix', pointer, scope);
  if (config.exact !== undefined) return { kind: 'exact', value: planRulePath(config.exact, pointer, readers, scope) };
  return { kind: 'prefix', value: planRulePath(withoutSlash(config.prefix ?? '/'), pointer, readers, scope) };
}

/** Prefixes are stored without a trailing slash: they match whole segments. */
export function withoutSlash(prefix: string): string {
  return prefix.length > 1 ? prefix.replace(/\/+$/, '') || '/' : prefix;
}

function planFields(
  fields: Readonly<Record<string, FieldMatch>>,
  pointer: string,
  headers: boolean,
  scope: PlanScope,
): FieldMatchPlan[] {
  return Object.entries(fields).map(([written, condition]) => {
    const name = headers ? written.toLowerCase() : written;
    const place = `${pointer}/${segment(written)}`;
    if (headers && !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) scope.problem(place, 'is not a header field name');
    else if (headers) checkHeader(condition, place, scope);
    else checkQuery(written, condition, place, scope);
    checkNameSigns(written, place, scope);
    checkValueSigns(condition.exact ?? '', headers ? name : '', place, scope);
    return planField(name, condition, headers);
  });
}

function checkHeader({ exact = '', regex = '' }: FieldMatch, pointer: string, scope: PlanScope): void {
  checkFieldValue(exact, pointer, scope);
  const wide = requiredRuns(regex).find((run) => /[^\p{ASCII}\x80-\xff]/u.test(run));
  if (wide === undefined) return;
  const bytes = regex.replace(/\P{ASCII}+/gu, (run) => Buffer.from(run).toString('hex').replace(/../g, '\\x$&'));
  scope.problem(pointer, 'would never match: values are read byte by byte', `write ${bytes}`);
}

/** Field values arrive without surrounding white space and without control characters (RFC 9110 §5.5). */
export function checkFieldValue(exact: string, pointer: string, scope: PlanScope): void {
  const trimmed = exact.replace(/^[ \t]+|[ \t]+$/g, '');
  if (/[^\P{Cc}\t\x80-\x9f]/u.test(exact))
    scope.problem(pointer, 'would never match: no field value has control characters or line breaks');
  else if (trimmed !== exact)
    scope.problem(pointer, 'would never match: values have no white space around them', `write "${trimmed}"`);
}

/** Names and values are compared in decoded form. */
function checkQuery(name: string, { exact = '', regex = '' }: FieldMatch, pointer: string, scope: PlanScope): void {
  for (const text of [name, exact, ...requiredRuns(regex)]) checkDecoded(text, pointer, scope);
}

/** Reports percent-encoding in a text that is compared in decoded form. */
export function checkDecoded(text: string, pointer: string, scope: PlanScope): void {
  if (!/%[0-9a-f]{2}/i.test(text)) return;
  scope.problem(
    pointer,
    `${text} would never match: the query of a request is compared decoded`,
    `write "${decoded(text)}"`,
  );
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString());
}

/**
 * `bytes`: the value belongs to a header field, which is read as Latin-1: non-ASCII text may arrive in Latin-1 or
 * UTF-8.
 */
export function planField(name: string, { exact, regex, present }: FieldMatch, bytes: boolean): FieldMatchPlan {
  if (regex !== undefined) return { name, kind: 'regex', value: regex };
  if (present !== undefined) return { name, kind: 'present', value: String(present) };
  const value = exact ?? '';
  const utf8 = Buffer.from(value).toString('latin1');
  if (!bytes || utf8 === value) return { name, kind: 'exact', value };
  return { name, kind: 'regex', value: `^(?:${literally(value)}|${literally(utf8)})$` };
}

function literally(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}/]/g, '\\$&');
}
