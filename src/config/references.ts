/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in string values; `$${` stands for a literal `${`. Cold.
 *
 * `${NAME}` is a warning, and any other `${` a problem. Other dollar signs have no meaning. The value of a reference is
 * a secret: problems show only the source text, which contains the reference.
 */
import { dirname, resolve } from 'node:path';
import type { Unreadable } from './read-text.ts';

export interface ReferenceScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a file and records it as a source; returns its text, or the reason why there is none. */
  readFile(path: string): string | Unreadable;
}

export interface Expanded {
  readonly value: string;
  /** Whether the text has a reference. Then the value is a secret. */
  readonly referred: boolean;
}

/** An escape, a whole reference, or another `${` with enough of the text to identify it. */
const REFERENCE = /\$\$\{|\$\{(env|file):([^}]*)\}|\$\{[^\s}]{0,80}(?:[^}\n]{0,80}\})?/g;

/** The references of other programs, such as `${NAME}` and `${NAME:-default}`. */
const FOREIGN = /(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*(:?[-+?=][^}]*)?\}/;

const FORMS = '${env:NAME} or ${file:path}';

/**
 * Returns the value with its references replaced; calls `problem` for those that are malformed or can't be resolved.
 * `secret`: the text itself may be a secret, and no part of it may be shown.
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

/**
 * The reason why a text that begins with `${` is not a reference; null: it is one, or `${NAME}`, which has its own
 * warning.
 */
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

/** The first text that other programs would read as a reference, such as `${NAME}` and `${NAME:-default}`. */
export function foreignReference(text: string): string | undefined {
  return FOREIGN.exec(text)?.[0];
}

/** Whether the whole text is one reference, so that its value may be a number or a boolean. */
export function isReference(text: string): boolean {
  return /^\$\{(env|file):[^}]*\}$/.test(text);
}
