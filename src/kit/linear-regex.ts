/**
 * Regular expressions of a config, which run over text that clients choose. Cold to compile, hot to ask.
 *
 * V8 has two engines. The usual one backtracks, and `^/r/.*\/.*\/.*\/edit$` takes it time that grows with the fourth power of
 * a path. The other follows all ways at once, in time linear in the text; it knows no lookahead, no case folding and
 * no repeat above 16. With the flags set here V8 starts with the usual engine and changes to the linear one after a number
 * of backtracks (docs/adr/0025-linear-regular-expressions.md). The flags count when an expression is compiled, so
 * this module sets them before it compiles one; it does so in tests and for users of the library too.
 */
import { setFlagsFromString } from 'node:v8';

/** About 0.1 ms of backtracking. */
const BACKTRACKS = 10_000;

/** The flag of an expression that only the linear engine may run. */
const LINEAR = 'l';

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
setFlagsFromString(`--regexp-backtracks-before-fallback=${BACKTRACKS}`);

/** Throws a SyntaxError. `source` has passed regexProblem of config/regex-safety.ts. */
export function compileRegex(source: string): RegExp {
  return new RegExp(source);
}

/** Can V8's linear engine run it? V8 itself answers. */
export function runsLinearly(source: string): boolean {
  setFlagsFromString('--enable-experimental-regexp-engine');
  try {
    return new RegExp(source, LINEAR) instanceof RegExp;
  } catch {
    return false;
  } finally {
    setFlagsFromString('--no-enable-experimental-regexp-engine');
  }
}
