/**
 * What a gateway with a history may come to serve, whatever is done to it and whenever it is killed. Written from
 * docs/history.md, without a look at the code: a state for each way in which things may have happened.
 */

/** What is on the disk. */
export interface Stored {
  /** What the newest entry says; null: there is none. */
  readonly newest: string | null;
  readonly hold: { readonly serves: string; readonly insteadOf: string } | null;
}

/** Of a gateway that runs. */
export interface State extends Stored {
  readonly serves: string;
  /** null: the file serves. Otherwise what the file said when it was last not followed; '': whatever it said. */
  readonly insteadOf: string | null;
}

/** A text of the file that means something; all others have problems. */
function isGood(text: string): boolean {
  return !text.includes('nobody');
}

function followed(file: string): State {
  return { newest: file, hold: null, serves: file, insteadOf: null };
}

/** The file says something; it may be the same as before. */
export function written(state: State, file: string): State {
  return isGood(file) && state.insteadOf !== file ? followed(file) : state;
}

/** `entry`: what it says. */
export function rolledBack(state: State, file: string, entry: string): State {
  if (entry === file) return lifted(state, file);
  return { newest: entry, hold: { serves: entry, insteadOf: file }, serves: entry, insteadOf: file };
}

export function lifted(state: State, file: string): State {
  return isGood(file) ? followed(file) : state;
}

/** A start; null: it ends with the file's problems. */
export function started({ newest, hold }: Stored, file: string): State | null {
  if (hold !== null && hold.insteadOf === file)
    return { newest: hold.serves, hold, serves: hold.serves, insteadOf: file };
  if (isGood(file)) return followed(file);
  if (newest === null) return null;
  return { newest, hold, serves: newest, insteadOf: hold?.serves === newest ? hold.insteadOf : '' };
}

/** What may be on the disk when it is killed on the way from one to the other: each of the two is written on its own. */
export function killedBetween(before: Stored, after: Stored): Stored[] {
  return [before.newest, after.newest].flatMap((newest) => [before.hold, after.hold].map((hold) => ({ newest, hold })));
}

/** Those of the states in which the disk says this. */
export function thatSay<T extends Stored>(states: readonly T[], seen: Stored): T[] {
  const text = ({ newest, hold }: Stored): string =>
    JSON.stringify([newest, hold?.serves ?? '', hold?.insteadOf ?? '']);
  return states.filter((state) => text(state) === text(seen));
}
