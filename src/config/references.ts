/**
 * `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in string values. Cold.
 *
 * No other dollar sign means anything. What a reference stands for is a secret: the source text, which is all that
 * problems show, has only the reference.
 */
import { dirname, resolve } from 'node:path';

export interface ReferenceScope {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, noted as a source; null if it can't be read. */
  readFile(path: string): string | null;
}

const REFERENCE = /\$\{(env|file):([^}]*)\}/g;

/** The value with its references replaced; those that lead nowhere are told to `problem`. */
export function expand(text: string, file: string, scope: ReferenceScope, problem: (message: string) => void): string {
  return text.replaceAll(REFERENCE, (whole, kind: string, rest: string) => {
    if (kind === 'file') {
      const content = scope.readFile(resolve(dirname(file), rest));
      if (content === null) problem(`cannot read the file of ${whole}`);
      return content?.replace(/\r?\n$/, '') ?? '';
    }
    const mark = rest.indexOf(':-');
    const name = mark < 0 ? rest : rest.slice(0, mark);
    const value = scope.env[name];
    if (value !== undefined && (value !== '' || mark < 0)) return value;
    if (mark >= 0) return rest.slice(mark + 2);
    problem(`the environment variable ${name} is not set`);
    return '';
  });
}

/** Whether the whole text is one reference, so that its value may be a number or a boolean. */
export function isReference(text: string): boolean {
  return /^\$\{(env|file):[^}]*\}$/.test(text);
}
