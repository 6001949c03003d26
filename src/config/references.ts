/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in string values; `$${` stands for a literal `${`. Cold.
 *
 * No other dollar sign means anything. What a reference stands for is a secret: the source text, which is all that
 * problems show, has only the reference.
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

const REFERENCE = /\$\$\{|\$\{(env|file):([^}]*)\}/g;

/** The value with its references replaced; those that lead nowhere are told to `problem`. */
export function expand(
  text: string,
  file: string,
  scope: ReferenceScope,
  problem: (message: string) => void,
): Expanded {
  let referred = false;
  const value = text.replaceAll(REFERENCE, (whole, kind: string | undefined, rest: string) => {
    if (kind === undefined) return '${';
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

/** The first text that other programs would take for a reference, as `${NAME}` and `${NAME:-default}`. */
export function foreignReference(text: string): string | undefined {
  return /(?<!\$)\$\{[A-Za-z_][A-Za-z0-9_]*(:?[-+?=][^}]*)?\}/.exec(text)?.[0];
}

/** Whether the whole text is one reference, so that its value may be a number or a boolean. */
export function isReference(text: string): boolean {
  return /^\$\{(env|file):[^}]*\}$/.test(text);
}
