/**
 * A text that keeps nothing else alive. A slice holds on to all that it was cut from, which for a field of a message is
 * the whole head: what is kept for longer than the message needs bytes of its own. Hot, where something is kept.
 */
export function detachString(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('latin1');
}
