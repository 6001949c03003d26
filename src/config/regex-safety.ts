/**
 * Refuses regular expressions that a request could make run without end. Cold.
 *
 * The rule is conservative: a group that can repeat without bound may contain neither unbounded repetition nor
 * alternatives, and backreferences are not allowed. `(a+)+`, `(a|a)*` and `(.*,)*` are refused; `^/u/[0-9]+/x$` and
 * `^/(a|b)/` are not. The length of patterns is also limited.
 */

const LONGEST = 1000;

/** null: no problem. */
export function regexProblem(source: string): string | null {
  if (source.length > LONGEST) return `must be at most ${LONGEST} characters`;
  try {
    RegExp(source);
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message.replace(/^.*\/: /, '') : ''}`;
  }
  return canBlowUp(source)
    ? 'can take exponential time: what repeats holds something that repeats or has alternatives'
    : null;
}

interface Group {
  repeats: boolean;
  alternatives: boolean;
}

function canBlowUp(source: string): boolean {
  const open: Group[] = [{ repeats: false, alternatives: false }];
  let closed: Group | null = null;
  for (let i = 0; i < source.length; i++) {
    const character = source[i]!;
    const rest = source.slice(i);
    const unbounded = /^(?:[*+]|\{\d+,\})/.exec(rest);
    if (unbounded !== null) {
      if (closed !== null && (closed.repeats || closed.alternatives)) return true;
      open.at(-1)!.repeats = true;
      closed = null;
      i += unbounded[0].length - 1;
      continue;
    }
    closed = null;
    if (character === '\\') {
      if (/^\\(?:[1-9]|k<)/.test(rest)) return true;
      i++;
    } else if (character === '[') {
      i++;
      while (i < source.length && source[i] !== ']') i += source[i] === '\\' ? 2 : 1;
    } else if (character === '(') open.push({ repeats: false, alternatives: false });
    else if (character === ')') {
      closed = open.pop()!;
      const outer = open.at(-1)!;
      outer.repeats ||= closed.repeats;
      outer.alternatives ||= closed.alternatives;
    } else if (character === '|') open.at(-1)!.alternatives = true;
  }
  return false;
}
