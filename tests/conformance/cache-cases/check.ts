/** What is wrong with the outcome of a step. */
import type { Got } from './ask.ts';
import { answersOf, type Fields, type Step } from './case.ts';
import { CONDITIONS, type Given, type Script, type Seen } from './scripted-origin.ts';

export interface Outcome {
  readonly got: Got;
  /** Given before this step, and in it. */
  readonly before: readonly Given[];
  readonly now: readonly Given[];
  readonly seen: readonly Seen[];
  /** The client had its answer before the origin was let speak. */
  readonly early: boolean;
}

const ASKED = 'the origin was asked';
const UNCONDITIONAL = 'the origin was asked without a condition';

/** The cache did without what the step is about, as it may. */
export function declines(wrong: readonly string[]): boolean {
  return wrong.includes(ASKED) || wrong.includes(UNCONDITIONAL);
}

export function wrongWith(step: Step, script: Script, outcome: Outcome): string[] {
  return [
    ...wrongWay(step, outcome),
    ...wrongAnswer(step, script, outcome),
    ...wrongFields('the client', agedOnly(step, outcome), script, (name) => outcome.got.fields.get(name)),
    ...wrongSeen(step, script, outcome.seen),
  ];
}

/** Where the cache does as it likes, only what is stored has an age. */
function agedOnly(step: Step, { seen }: Outcome): Wanted {
  const { age, ...rest } = step;
  return age === undefined || (step.how === 'any' && seen.length > 0) ? rest : { ...rest, age };
}

function isConditional({ headers }: Seen): boolean {
  return CONDITIONS.some((name) => headers[name] !== undefined);
}

function wrongWay({ how }: Step, { seen, early }: Outcome): string[] {
  if (how === 'any') return [];
  if (how === 'unasked') return seen.length === 0 ? [] : [ASKED];
  if (seen.length === 0) return ['the origin was not asked'];
  if (how === 'checked' && !isConditional(seen[0]!)) return [UNCONDITIONAL];
  return how === 'behind' && !early ? ['the client had to wait for the origin'] : [];
}

/** The answer that the client should have got, whether from the origin or from the store. */
function due({ how, from }: Step, script: Script, { before, now }: Outcome, target: string): Given | undefined {
  if (from !== undefined) return script.given[from - 1];
  if (how === 'asked') return now.at(-1);
  return before.findLast((one) => one.target === target && one.status !== 304 && one.method === 'GET');
}

function wrongAnswer(step: Step, script: Script, outcome: Outcome): string[] {
  const { how, method, at = '', from, slice } = step;
  const { got } = outcome;
  const wrong: string[] = [];
  const expected = due(step, script, outcome, script.path + at);
  const statuses = [step.status ?? (how === 'any' || from === 0 ? got.status : (expected?.status ?? 200))].flat();
  if (!statuses.includes(got.status)) wrong.push(`status ${got.status}, not ${statuses.join(' or ')}`);
  if (got.broken && !cutShort(step) && !statuses.includes(0)) wrong.push('the response breaks off');
  const bodied = method !== 'HEAD' && got.status !== 304 && got.status !== 204;
  if (step.body !== undefined) {
    if (!matches(got.body, step.body)) wrong.push(`body ${JSON.stringify(got.body)}, not ${step.body}`);
  } else if (bodied && from !== 0 && how !== 'any' && expected !== undefined && !cutShort(step)) {
    const body = expected.body.slice(...(slice ?? []));
    if (got.body !== body) wrong.push(`body ${JSON.stringify(got.body)}, not ${JSON.stringify(body)}`);
  }
  if (!bodied && got.body !== '') wrong.push('content where there may be none');
  return wrong;
}

function cutShort(step: Step): boolean {
  return answersOf(step).some(({ cut }) => cut !== undefined);
}

/** `/pattern/`, or the very text. */
function matches(value: string, expected: string): boolean {
  const pattern = /^\/(.*)\/$/s.exec(expected)?.[1];
  return pattern === undefined ? value === expected : new RegExp(pattern, 's').test(value);
}

type Look = (name: string) => string | undefined;
interface Wanted {
  readonly has?: Fields;
  readonly lacks?: readonly string[];
  readonly age?: readonly [number, number];
}

function wrongFields(where: string, { has = {}, lacks = [], age }: Wanted, script: Script, look: Look): string[] {
  const wrong: string[] = [];
  for (const [name, value] of Object.entries(has)) {
    const expected = script.expand([value].flat().join(', '));
    const found = look(name);
    if (found === undefined) wrong.push(`${where} gets no ${name}`);
    else if (!matches(found, expected)) wrong.push(`${where} gets ${name}: ${found}, not ${expected}`);
  }
  for (const name of lacks) if (look(name) !== undefined) wrong.push(`${where} gets ${name}: ${look(name)}`);
  if (age === undefined) return wrong;
  const found = look('age');
  const seconds = /^\d+$/.test(found ?? '') ? Number(found) : Number.NaN;
  if (!(seconds >= age[0] && seconds <= age[1])) wrong.push(`age ${found}, not ${age.join('–')}`);
  return wrong;
}

function wrongSeen({ seen: wanted }: Step, script: Script, seen: readonly Seen[]): string[] {
  if (wanted === undefined || seen.length === 0) return [];
  const { method, headers } = seen[0]!;
  const wrong = wrongFields('the origin', wanted, script, (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  });
  return wanted.method === undefined || wanted.method === method ? wrong : [...wrong, `the origin got a ${method}`];
}
