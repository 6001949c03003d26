/** A problem in a config: its position, a message and a hint. Cold. */

export interface Position {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** An `error` prevents a config from taking effect; a `warning` does not. */
export type Level = 'error' | 'warning';

export interface Problem extends Position {
  readonly level: Level;
  /** JSON Pointer of the value, or '' for the whole file. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  /** Related positions, such as "first declared here". */
  readonly related?: readonly (Position & { readonly message: string })[];
}

export class ConfigError extends Error {
  readonly problems: readonly Problem[];
  /** All problems as text for people: position, message, the line itself with a caret. */
  readonly report: string;

  constructor(problems: readonly Problem[], report: string) {
    super(report);
    this.name = 'ConfigError';
    this.problems = problems;
    this.report = report;
  }
}

/** An error at a position. */
export function errorAt({ file, line, column }: Position, pointer: string, message: string, hint?: string): Problem {
  return { level: 'error', file, line, column, pointer, message, ...(hint === undefined ? {} : { hint }) };
}

export function isError({ level }: Problem): boolean {
  return level === 'error';
}

/** Sorts by file, line and column. Drops a warning that repeats an error. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const keyOf = ({ pointer, message }: Problem): string => `${pointer} ${message}`;
  const errors = new Set(problems.filter(isError).map(keyOf));
  return problems
    .filter((one) => isError(one) || !errors.has(keyOf(one)))
    .toSorted((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1));
}

/** `/routes/0/name` in readable form: `routes[0].name`. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part, i) => (/^\d+$/.test(part) ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}

/** The lines of a file; null: its text is not available. */
type Lines = (file: string) => readonly string[] | null;

function linesOf(texts: ReadonlyMap<string, string>): Lines {
  const known = new Map<string, readonly string[] | null>();
  return (file) => {
    let lines = known.get(file);
    if (lines === undefined) known.set(file, (lines = texts.get(file)?.split('\n') ?? null));
    return lines;
  };
}

function show({ file, line, column }: Position, lines: Lines): string[] {
  const source = lines(file)?.[line - 1]?.replace(/\r$/, '');
  if (source === undefined || source === '') return [];
  const shown = source.length > 160 ? `${source.slice(0, 160)}…` : source;
  const pad = String(line).padStart(5);
  return [`${pad} | ${shown}`, `      | ${shown.slice(0, column - 1).replaceAll(/[^\t]/g, ' ')}^`];
}

/** The most problems shown to people. */
const MOST_SHOWN = 500;

/** The error for these problems; `texts`: the files' contents, for showing the lines. */
export function configError(problems: readonly Problem[], texts: ReadonlyMap<string, string>): ConfigError {
  return new ConfigError(problems, render(problems, texts));
}

/** Problems as text for people: position, message, the line itself with a caret. */
export function render(problems: readonly Problem[], texts: ReadonlyMap<string, string>): string {
  const shown = linesOf(texts);
  const rest = problems.length - MOST_SHOWN;
  return problems
    .slice(0, MOST_SHOWN)
    .map((problem) => {
      const path = pathOf(problem.pointer);
      const lines = [
        `${problem.file}:${problem.line}:${problem.column}  ${isError(problem) ? '' : 'warning: '}${path === '' ? '' : `${path}  `}${problem.message}`,
      ];
      lines.push(...show(problem, shown));
      if (problem.hint !== undefined) lines.push(`      = ${problem.hint}`);
      for (const other of problem.related ?? []) {
        lines.push(`  ${other.file}:${other.line}:${other.column}  ${other.message}`, ...show(other, shown));
      }
      return lines.join('\n');
    })
    .concat(rest > 0 ? [`and ${rest} more problems`] : [])
    .join('\n\n');
}
