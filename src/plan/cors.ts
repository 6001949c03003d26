/** Plans the cors policy. Cold. */
import { regexProblem } from '../config/regex-safety.ts';
import type { CorsPolicyConfig, OriginMatch } from '../config/schema.gen.ts';
import { originForm } from '../kit/web-origin.ts';
import { checkNameSigns, escaped } from './literal-patterns.ts';
import { planMethod } from './matches.ts';
import type { PlanScope } from './scope.ts';
import type { CorsPolicyPlan } from './types/cors.ts';

/** One or more labels, each with its dot. */
const LABELS = '(?:[a-z0-9_-]+\\.)+';

/** `methods`: those of the route's match; null: any. */
export function planCors(
  config: CorsPolicyConfig,
  pointer: string,
  methods: readonly string[] | null,
  scope: PlanScope,
): CorsPolicyPlan {
  const places = `${pointer}/origins`;
  const any = config.origins.findIndex(({ origin }) => origin === '*');
  if (any >= 0 && config.origins.length > 1)
    scope.warning(`${places}/${any}`, '* allows every origin: the others have no effect');
  if (any >= 0 && config.credentials)
    scope.problem(
      `${places}/${any}`,
      'every site could read what it answers to users with cookies: * is not possible with credentials',
      'name the origins, or leave credentials out',
      { pointer: `${pointer}/credentials`, message: 'credentials' },
    );
  config.origins.forEach(({ regex }, i) => {
    if (regex !== undefined) checkRegex(regex, `${places}/${i}`, scope);
  });
  if (methods !== null && !methods.includes('OPTIONS') && config.enabled)
    scope.warning(
      pointer,
      'answers no preflight: they are OPTIONS requests, which the match of this route does not take',
      'add OPTIONS to match.methods',
    );
  if (config.max_age !== undefined && config.max_age > 0 && config.max_age < 1000)
    scope.warning(`${pointer}/max_age`, 'is 0 in whole seconds: browsers would send a preflight each time', 'write 1s');
  return {
    type: 'cors',
    origins: any >= 0 ? ['*'] : [...new Set(config.origins.flatMap(exactOrigin))],
    patterns: any >= 0 ? [] : config.origins.flatMap(patternOf),
    methods: config.methods.includes('*') ? null : [...new Set(config.methods.map(planMethod))],
    headers: config.headers.includes('*') ? null : namesOf(config.headers, `${pointer}/headers`, scope),
    exposeHeaders: exposed(config, `${pointer}/expose_headers`, scope),
    credentials: config.credentials,
    maxAge: config.max_age === undefined ? null : config.max_age - (config.max_age % 1000),
    privateNetwork: config.private_network,
  };
}

/** The schema has checked the form. */
function exactOrigin({ origin }: OriginMatch): string[] {
  return origin === undefined || origin.includes('*') ? [] : [originForm(origin) ?? origin];
}

function patternOf({ origin, regex }: OriginMatch): string[] {
  if (regex !== undefined) return [whole(regex)];
  const form = originForm(origin ?? '') ?? '';
  const star = form.indexOf('*.');
  return star < 0 ? [] : [`^${escaped(form.slice(0, star))}${LABELS}${escaped(form.slice(star + 2))}$`];
}

/** `^a|b$` must not allow what only begins with a or ends with b. */
function whole(regex: string): string {
  return `^(?:${regex})$`;
}

/** The two mistakes that let foreign sites in: no anchors, and dots that match any character. */
function checkRegex(regex: string, pointer: string, scope: PlanScope): void {
  if (!regex.startsWith('^') || !/(?<!\\)(?:\\\\)*\$$/.test(regex)) {
    const inner = regex.replace(/^\^/, '').replace(/(?<!\\)\$$/, '');
    const text = inner.includes('|') ? `(?:${inner})` : inner;
    scope.problem(pointer, 'must begin with ^ and end with $: other sites could match a part of it', `write ^${text}$`);
    return;
  }
  const problem = regexProblem(whole(regex));
  if (problem !== null) scope.problem(pointer, problem);
  const dot = /(?<=(?:^|[^\\])(?:\\\\)*[a-z0-9\])])\.(?=[a-z0-9])/i;
  if (dot.test(regex)) {
    const right = regex.replace(new RegExp(dot.source, 'gi'), '\\.');
    scope.warning(pointer, 'a dot matches any character, so it allows other names too', `write ${right}`);
  }
}

/** With credentials, `*` is the name of a field and no wildcard (Fetch standard, "CORS protocol and credentials"). */
function exposed(
  { expose_headers: names, credentials }: CorsPolicyConfig,
  pointer: string,
  scope: PlanScope,
): string[] {
  const star = names.indexOf('*');
  if (star < 0) return namesOf(names, pointer, scope);
  if (credentials)
    scope.problem(`${pointer}/${star}`, 'is no wildcard for a browser that sends credentials', 'name each field');
  return ['*'];
}

function namesOf(names: readonly string[], pointer: string, scope: PlanScope): string[] {
  names.forEach((name, i) => checkNameSigns(name, `${pointer}/${i}`, scope));
  return [...new Set(names.map((name) => name.toLowerCase()))];
}
