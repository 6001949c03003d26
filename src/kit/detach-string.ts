/**
 * Copies a string so that it keeps nothing else alive. A slice keeps its whole source string alive; for a message field
 * that is the whole head. A string that outlives its message must therefore be detached. Hot where strings are stored.
 */
export function detachString(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('latin1');
}
