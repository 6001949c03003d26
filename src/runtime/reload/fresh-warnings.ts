/** Finds the warnings of a reload that the last one did not have, so that the log repeats none of them. Cold. */

/** The problems of a report (config/problem.ts) without their places, and how often each occurs. */
export type KnownWarnings = ReadonlyMap<string, number>;

export const NO_WARNINGS: KnownWarnings = new Map();

/** Returns the new problems of `report` as text ('' if there are none), and all of its problems. */
export function freshWarnings(
  report: string,
  known: KnownWarnings,
): { readonly fresh: string; readonly all: KnownWarnings } {
  const all = new Map<string, number>();
  const fresh =
    report === ''
      ? []
      : report.split('\n\n').filter((block) => {
          const key = withoutPlace(block);
          const count = (all.get(key) ?? 0) + 1;
          all.set(key, count);
          return count > (known.get(key) ?? 0);
        });
  return { fresh: fresh.join('\n\n'), all };
}

/** A warning stays the same if lines or routes before it are added or removed. */
function withoutPlace(block: string): string {
  return block
    .split('\n')
    .filter((line) => !/^ *\| *\^$/.test(line))
    .map((line) => line.replace(/^( *\d+ \| *|(.*?):\d+:\d+ )/, '$2').replace(/(?<=\bwarning: \w+)\[\d+\]/, ''))
    .join('\n');
}
