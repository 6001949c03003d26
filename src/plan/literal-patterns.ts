/**
 * Warns of pattern syntax in values that are compared literally: `/api/*`, `/users/:id`, `x-*`. Such a value seldom
 * matches as intended, so each warning suggests what to write. Cold.
 */
import { encodePath } from '../http/path.ts';
import type { PlanScope } from './scope.ts';

/** Stars, and segments that other programs read as parameters. */
const SIGN = /\*+|(?<=\/)(?::[A-Za-z_]\w*|\{[^/]*\}|<[^/]*>)(?=\/|$)/;

/** `kind`: how the path is compared. `rewrite`: the prefix of a rewrite, which allows no regular expressions. */
export function checkPathSigns(
  written: string,
  kind: 'prefix' | 'exact' | 'rewrite',
  pointer: string,
  scope: PlanScope,
): void {
  const sign = SIGN.exec(written)?.[0];
  if (sign !== undefined) scope.warning(pointer, `${sign} stands for itself here`, pathHint(written, kind));
}

function pathHint(written: string, kind: 'prefix' | 'exact' | 'rewrite'): string {
  const above = written.replace(/\/\*+$/, '') || '/';
  const regex = `{ regex: ${regexOf(written, kind)} }`;
  if (SIGN.test(above)) return kind === 'rewrite' ? 'a rewrite takes a plain prefix only' : `write ${regex}`;
  return kind === 'exact' ? `write { prefix: ${above} }` : `a plain path is a prefix already: write ${above}`;
}

/** The regular expression for the probable intent. */
function regexOf(written: string, kind: string): string {
  const open = written.endsWith('*');
  const parts = written
    .replace(/\*+$/, '')
    .split(new RegExp(`(${SIGN.source})`))
    .map((part, i) => (i % 2 === 1 ? (part.startsWith('**') ? '.*' : '[^/]+') : escaped(encodePath(part))));
  return `^${parts.join('')}${open ? '' : kind === 'exact' ? '$' : '(/|$)'}`;
}

/** The regular expression that matches this text only. */
export function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

/** Checks the replacement of a path, which can't refer to parts of the old one. */
export function checkReplacementSigns(written: string, pointer: string, hint: string, scope: PlanScope): void {
  const sign = SIGN.exec(written)?.[0] ?? /\$\d|\$\w+/.exec(written)?.[0];
  if (sign !== undefined) scope.warning(pointer, `${sign} stands for itself here`, hint);
}

/** Fields whose own values have stars (RFC 9110 §12.5, §13.1). */
const STARRED = /^(?:accept(?:-.*)?|if-(?:none-)?match)$/;

/** Checks a value that is compared as a whole. `header`: the field's name in lower case; '': a query parameter. */
export function checkValueSigns(value: string, header: string, pointer: string, scope: PlanScope): void {
  if (!value.includes('*') || STARRED.test(header)) return;
  const regex = `^${value.replace(/\*+$/, '').split(/\*+/).map(escaped).join('.*')}${value.endsWith('*') ? '' : '$'}`;
  const hint = /^\*+$/.test(value) ? 'write { present: true }' : `write { regex: ${JSON.stringify(regex)} }`;
  scope.warning(pointer, '* stands for itself here', hint);
}

/** Checks the name of a field, a cookie or a parameter. */
export function checkNameSigns(name: string, pointer: string, scope: PlanScope): void {
  if (name.includes('*')) scope.warning(pointer, `${name} would never match: names are no patterns`, 'name each one');
}
