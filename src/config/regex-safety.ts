/**
 * Refuses regular expressions that a request could make run without end. Cold.
 *
 * A group that can repeat without bound may contain neither unbounded repetition nor alternatives, and backreferences are
 * not allowed. `(a+)+`, `(a|a)*` and `(.*,)*` are refused; `^/u/[0-9]+/x$` and `^/(a|b)/` are not.
 *
 * V8's linear engine runs most other patterns (kit/linear-regex.ts). The rest must be cheap for the backtracking engine
 * (regex-cost.ts). The length of patterns is also limited.
 */
import { runsLinearly } from '../kit/linear-regex.ts';
import { worstCost } from './regex-cost.ts';

/** Steps of a search whose time does not depend on the text's length: about 1 ms. */
const MOST_STEPS = 100_000;
/** Steps for each character. */
const MOST_STEPS_EACH = 200;

const LONGEST = 1000;

/** null: no problem. */
export function regexProblem(source: string): string | null {
  if (source.length > LONGEST) return `must be at most ${LONGEST} characters`;
  try {
    RegExp(source);
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message.replace(/^.*\/: /, '') : ''}`;
  }
  if (canBlowUp(source))
    return 'can take exponential time: what repeats holds something that repeats or has alternatives';
  return runsLinearly(source) || isCheap(source)
    ? null
    : 'can take very long: begin it with ^ and use fewer overlapping repeats, or use no lookahead, no (?i:) and no {n} above 16';
}

function isCheap(source: string): boolean {
  const { degree, steps } = worstCost(source);
  return degree === 0 ? steps <= MOST_STEPS : degree === 1 && steps <= MOST_STEPS_EACH;
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
