/**
 * Signs of a pattern where none is read: `/api/*`, `/users/:id`, `x-*`. They stand for themselves, which is seldom meant, so
 * that each is a warning with what to write. Cold.
 */
import { encodePath } from '../http/path.ts';
import type { PlanScope } from './scope.ts';

/** Stars, and segments that other programs read as parameters. */
const SIGN = /\*+|(?<=\/)(?::[A-Za-z_]\w*|\{[^/]*\}|<[^/]*>)(?=\/|$)/;

/** `kind`: how the path is compared. `rewrite`: it is the prefix of a rewrite, which knows no regular expressions. */
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

/** What was meant, as far as it can be told. */
function regexOf(written: string, kind: string): string {
  const open = written.endsWith('*');
  const parts = written
    .replace(/\*+$/, '')
    .split(new RegExp(`(${SIGN.source})`))
    .map((part, i) => (i % 2 === 1 ? (part.startsWith('**') ? '.*' : '[^/]+') : escaped(encodePath(part))));
  return `^${parts.join('')}${open ? '' : kind === 'exact' ? '$' : '(/|$)'}`;
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

/** Of what is put in the place of a path, in which nothing of the old one can be named. */
export function checkReplacementSigns(written: string, pointer: string, hint: string, scope: PlanScope): void {
  const sign = SIGN.exec(written)?.[0] ?? /\$\d|\$\w+/.exec(written)?.[0];
  if (sign !== undefined) scope.warning(pointer, `${sign} stands for itself here`, hint);
}

/** Fields whose own values have stars (RFC 9110 §12.5, §13.1). */
const STARRED = /^(?:accept(?:-.*)?|if-(?:none-)?match)$/;

/** A value that is compared as a whole. `header`: in lower case; '': it is of the query. */
export function checkValueSigns(value: string, header: string, pointer: string, scope: PlanScope): void {
  if (!value.includes('*') || STARRED.test(header)) return;
  const regex = `^${value.replace(/\*+$/, '').split(/\*+/).map(escaped).join('.*')}${value.endsWith('*') ? '' : '$'}`;
  const hint = /^\*+$/.test(value) ? 'write { present: true }' : `write { regex: ${JSON.stringify(regex)} }`;
  scope.warning(pointer, '* stands for itself here', hint);
}

/** The name of a field, a cookie or a parameter. */
export function checkNameSigns(name: string, pointer: string, scope: PlanScope): void {
  if (name.includes('*')) scope.warning(pointer, `${name} would never match: names are no patterns`, 'name each one');
}
