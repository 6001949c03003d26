/** What parsing a file gives, whatever its format. Cold. */
import { errorAt, type Position, type Problem } from './problem.ts';

export interface ParsedFile {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** The place of the value at a JSON Pointer, or of its key; of its nearest ancestor if it is not there. */
  locate(pointer: string, at?: 'key' | 'value'): Position;
}

/** Levels of maps and lists in each other; configs have about ten. What is beyond would be more than the stack holds. */
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

/** Of a JSON Pointer, as they are meant. */
export function segments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
