/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in string values; `$${` stands for a literal `${`. Cold.
 *
 * `${NAME}` is a warning, and any other `${` a problem. No other dollar sign means anything. What a reference stands for is
 * a secret: the source text, which is all that problems show, has only the reference.
 */
import { dirname, resolve } from 'node:path';
import type { Unreadable } from './read-text.ts';

export interface ReferenceScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, noted as a source; otherwise why there is none. */
  readFile(path: string): string | Unreadable;
}

export interface Expanded {
  readonly value: string;
  /** Was there a reference? Then the value is a secret. */
  readonly referred: boolean;
}

/** An escape, a whole reference, or another `${` with as much of the text as shows it. */
const REFERENCE = /\$\$\{|\$\{(env|file):([^}]*)\}|\$\{[^\s}]{0,80}(?:[^}\n]{0,80}\})?/g;

/** What other programs take for a reference, as `${NAME}` and `${NAME:-default}`. */
const FOREIGN = /(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*(:?[-+?=][^}]*)?\}/;

const FORMS = '${env:NAME} or ${file:path}';

/**
 * The value with its references replaced; those that lead nowhere or are written wrong are told to `problem`. `secret`: the
 * text may be a secret itself, of which no part may be shown.
 */
export function expand(
  text: string,
  file: string,
  scope: ReferenceScope,
  secret: boolean,
  problem: (message: string, hint?: string) => void,
): Expanded {
  let referred = false;
  const value = text.replaceAll(REFERENCE, (whole: string, kind: string | undefined, rest: string | undefined) => {
    if (whole === '$${') return '${';
    const wrong = malformed(secret && whole !== text ? '${…' : whole, kind, rest);
    if (wrong !== null) {
      problem(wrong.message, wrong.hint);
      return whole;
    }
    if (kind === undefined || rest === undefined) return whole;
    referred = true;
    if (kind === 'file') {
      const content = scope.readFile(resolve(dirname(file), rest));
      if (typeof content === 'string') return content.replace(/\r?\n$/, '');
      problem(`cannot read the file of ${whole}: ${content.reason}`);
      return '';
    }
    const mark = rest.indexOf(':-');
    const name = mark < 0 ? rest : rest.slice(0, mark);
    const found = scope.env[name];
    if (found !== undefined && (found !== '' || mark < 0)) return found;
    if (mark >= 0) return rest.slice(mark + 2);
    problem(`the environment variable ${name} is not set`);
    return '';
  });
  return { value, referred };
}

interface Malformed {
  readonly message: string;
  readonly hint: string;
}

/** Why a text that begins with `${` is no reference; null: it is one, or `${NAME}`, which is a warning of its own. */
function malformed(whole: string, kind: string | undefined, rest: string | undefined): Malformed | null {
  const or = (write: string): string => `write ${write}, or $${whole} if this text is meant`;
  if (kind === undefined) {
    const [, word = '', colon = '', inner = ''] = /^\$\{\s*(\w*)\s*(:?)\s*([^}]*)/.exec(whole) ?? [];
    if (FOREIGN.test(whole)) return null;
    const meant = word.toLowerCase();
    const known = colon !== '' && inner.trim() !== '' && (meant === 'env' || meant === 'file');
    const write = known ? `\${${meant}:${inner.trim()}}` : FORMS;
    const message = whole.endsWith('}') ? `${whole} is no reference` : `${whole} has no closing brace`;
    return { message, hint: or(write) };
  }
  if (rest === undefined) return null;
  if (rest.includes('${')) return { message: `${whole} has a \${ inside`, hint: or(FORMS) };
  if (kind === 'file' && rest.trim() === '') return { message: `${whole} names no file`, hint: or('${file:path}') };
  if (kind === 'env' && /^\s*(:-|$)/.test(rest))
    return { message: `${whole} names no environment variable`, hint: or('${env:NAME}') };
  return null;
}

/** The first text that other programs would take for a reference, as `${NAME}` and `${NAME:-default}`. */
export function foreignReference(text: string): string | undefined {
  return FOREIGN.exec(text)?.[0];
}

/** Whether the whole text is one reference, so that its value may be a number or a boolean. */
export function isReference(text: string): boolean {
  return /^\$\{(env|file):[^}]*\}$/.test(text);
}
