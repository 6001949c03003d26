/** Compiles in a thread of its own and hands the plan over a few routes at a time. Cold; started by compiler.ts. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { type PlanParcel, wrapPlan } from '../plan/parcel.ts';
import { compile, type Environment, type Known, type Verdict } from './compile.ts';

export interface CompileRequest {
  readonly file: string;
  readonly env: Environment;
  readonly given: ReadonlyMap<string, string>;
  readonly found: ReadonlyMap<string, readonly string[]>;
  readonly known: Known | null;
}

/** What is said first, null if nothing has changed; the routes follow when they are asked for. */
export interface CompileAnswer {
  readonly verdict: Verdict;
  readonly planDigest: string;
  readonly rest: PlanParcel['rest'] | null;
  readonly routes: number;
}

/** From one route to before another. */
export type RoutesRequest = readonly [from: number, to: number];

/** Below the traffic's: where there are few processors, compiling must not take one from it. */
const NICENESS = 10;

/** Problems that are handed over, more than anybody is told: a hundred thousand would hold up the traffic that they come to. */
const MOST_PROBLEMS = 1000;

let routes: PlanParcel['routes'] = [];

parentPort?.on('message', (message: CompileRequest | RoutesRequest) => {
  if ('file' in message) parentPort?.postMessage(answer(message));
  else parentPort?.postMessage(routes.slice(...message));
});

stepBack();

function answer({ known, ...input }: CompileRequest): CompileAnswer | null {
  const compiled = compile(input, known);
  if (compiled === null) return null;
  const { plan, planDigest, problems, ...others } = compiled;
  const told = problems.slice(0, MOST_PROBLEMS);
  const verdict = { ...others, problems: told, leftOut: problems.length - told.length };
  const parcel = plan === null ? null : wrapPlan(plan);
  routes = parcel?.routes ?? [];
  return { verdict, planDigest, rest: parcel?.rest ?? null, routes: routes.length };
}

/** Linux alone gives each thread a priority of its own. */
function stepBack(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), NICENESS);
  } catch {
    // Elsewhere the thread goes at the pace of all others.
  }
}
