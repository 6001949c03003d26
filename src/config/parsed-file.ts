/** The result of parsing a file, in any format. Cold. */
import { errorAt, type Position, type Problem } from './problem.ts';

export interface ParsedFile {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The position of the value at a JSON Pointer, or of its key; if absent, of its nearest ancestor. */
  locate(pointer: string, at?: 'key' | 'value'): Position;
}

/** The maximum nesting of maps and lists; configs have about ten levels. Deeper nesting would overflow the stack. */
export const DEEPEST = 100;

export function broken(place: Position, message: string, hint?: string): ParsedFile {
  return { value: undefined, problems: [errorAt(place, '', message, hint)], locate: () => place };
}

export function tooDeep(place: Position): ParsedFile {
  return broken(place, `has more than ${DEEPEST} levels`);
}

export function twice(place: Position, pointer: string, first: Position): Problem {
  return {
    ...errorAt(place, pointer, 'the same key twice in one map'),
    related: [{ ...first, message: 'first here' }],
  };
}

/** The unescaped segments of a JSON Pointer. */
export function segments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
