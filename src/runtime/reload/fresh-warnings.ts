/** Which warnings of a reload are new since the last: an edit elsewhere must not have the log say all of them again. Cold. */

/** The problems of a report (config/problem.ts), with how often each is there, without where in its file that is. */
export type KnownWarnings = ReadonlyMap<string, number>;

export const NO_WARNINGS: KnownWarnings = new Map();

/** Those of `report` that are not known, as text ('': none), and all of them to be known from now on. */
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

/** Lines that are added or taken out before it, and routes before its own, change nothing about a warning. */
function withoutPlace(block: string): string {
  return block
    .split('\n')
    .filter((line) => !/^ *\| *\^$/.test(line))
    .map((line) => line.replace(/^( *\d+ \| *|(.*?):\d+:\d+ )/, '$2').replace(/(?<=\bwarning: \w+)\[\d+\]/, ''))
    .join('\n');
}
