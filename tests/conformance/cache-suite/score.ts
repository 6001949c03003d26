/**
 * What a result of the outside suite is worth, by the suite's own rules: a test counts as passed if it passed and
 * everything that it depends on did; what fails in its preparation has failed.
 */
import { type Edition, type Kind, KINDS, type SuiteTest } from './edition.ts';

/** As the suite's client says it: true, or the kind of failure and what went wrong. */
export type Result = true | readonly [string, string];
export type Results = Readonly<Record<string, Result>>;

export type Outcome = 'passed' | 'failed' | 'setup' | 'retry' | 'harness' | 'dependency' | 'untested';

export interface Verdict {
  readonly id: string;
  readonly kind: Kind;
  readonly outcome: Outcome;
  readonly why: string;
}

export interface Tally {
  readonly passed: number;
  readonly of: number;
}

export type Score = Readonly<Record<Kind, Tally>>;

/** Errors that say something of the way between client and server rather than of the cache. */
const HARNESS: ReadonlySet<string> = new Set(['AbortError', 'TypeError', 'FetchError']);

export function judge({ tests }: Edition, results: Results): Verdict[] {
  const byId = new Map(tests.map((test) => [test.id, test]));
  const known = new Map<string, Verdict>();
  const verdictOf = (test: SuiteTest): Verdict => {
    const before = known.get(test.id);
    if (before !== undefined) return before;
    const verdict = { id: test.id, kind: test.kind, ...outcomeOf(test) };
    known.set(test.id, verdict);
    return verdict;
  };
  const passes = (id: string): boolean => {
    const test = byId.get(id);
    return test !== undefined && verdictOf(test).outcome === 'passed';
  };
  function outcomeOf({ id, needs }: SuiteTest): { outcome: Outcome; why: string } {
    const result = results[id];
    if (result === undefined) return { outcome: 'untested', why: 'it has not ended' };
    const missing = needs.filter((need) => !passes(need));
    if (missing.length > 0) return { outcome: 'dependency', why: `${told(result)}; depends on ${missing.join(', ')}` };
    if (result === true) return { outcome: 'passed', why: '' };
    return { outcome: failureOf(result), why: told(result) };
  }
  return tests.map(verdictOf);
}

function told(result: Result): string {
  return result === true ? 'passed by itself' : `${result[0]}: ${result[1]}`;
}

function failureOf([name, message]: readonly [string, string]): Outcome {
  if (name === 'Setup') return message === 'retry' ? 'retry' : 'setup';
  return HARNESS.has(name) ? 'harness' : 'failed';
}

export function scoreOf(verdicts: readonly Verdict[]): Score {
  const tally = (kind: Kind): Tally => {
    const own = verdicts.filter((verdict) => verdict.kind === kind);
    return { passed: own.filter(({ outcome }) => outcome === 'passed').length, of: own.length };
  };
  return { required: tally('required'), optimal: tally('optimal'), check: tally('check') };
}

export function missedOf(verdicts: readonly Verdict[], kinds: readonly Kind[] = KINDS): Verdict[] {
  return verdicts.filter(({ kind, outcome }) => kinds.includes(kind) && outcome !== 'passed');
}

export function describeScore(score: Score): string {
  return KINDS.map((kind) => `${kind} ${score[kind].passed}/${score[kind].of}`).join(', ');
}
