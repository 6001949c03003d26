/**
 * Compiles in a process of its own and hands over what the other side has not got, in small lots. Cold; started by compile-worker.ts.
 */
import { serialize } from 'node:v8';
import { systemClock, type Timer } from '../../kit/clock.ts';
import { type PlanDelta, planDelta, lotsOf, type Fingerprints } from '../../plan/plan-delta.ts';
import { type Piece, serializePlan } from '../../plan/serialized-plan.ts';
import { IDLE } from './compile-worker.ts';
import { compile, type Environment, type Known, type Verdict } from './compile.ts';
import { pack } from './packed.ts';
import { stepAside, stepBack } from './process-priority.ts';

export interface CompileRequest {
  readonly file: string;
  readonly env: Environment;
  readonly given: ReadonlyMap<string, string>;
  readonly found: ReadonlyMap<string, readonly string[]>;
  readonly known: Known | null;
  /** Of a plan that the other side has, as they came from here; null: it has none. */
  readonly base: Fingerprints | null;
}

/** Nothing here takes long to receive but the lots, which are to be read one at a time. */
export interface CompileAnswer {
  readonly verdict: Omit<Verdict, 'texts'>;
  /** The verdict's, packed: they are long, and few ask for them. */
  readonly texts: Uint8Array;
  readonly planDigest: string;
  /** null: there is no plan. */
  readonly plan: PlanAnswer | null;
}

export interface PlanAnswer {
  /** To be kept with the plan, for the next request. */
  readonly marks: Fingerprints;
  readonly rest: PlanDelta['rest'];
  /** Each to be deserialized to a list of pieces. */
  readonly pools: readonly Uint8Array[];
  readonly routes: readonly Uint8Array[];
}

/** Milliseconds without a request. */
const RESTING = 1000;

/** Problems that are handed over, more than anybody is told: a hundred thousand would hold up the traffic that they come to. */
const MOST_PROBLEMS = 1000;

let resting: Timer | null = null;
process.on('message', (request: CompileRequest) => {
  resting?.cancel();
  // Where the gateway is gone meanwhile, nobody wants to be told.
  process.send?.(answer(request), () => {});
  // What is left of it is cleared away once nobody waits: this process would grow with each config.
  resting = systemClock.after(RESTING, () => globalThis.gc?.());
});
process.on('disconnect', () => process.exit());
// Meant for the gateway, which ends this process when it has done with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => {});

stepBack();
if (process.argv[2] === IDLE) stepAside();

/** null: nothing has changed. */
function answer({ known, base, ...input }: CompileRequest): CompileAnswer | null {
  const compiled = compile(input, known);
  if (compiled === null) return null;
  const { plan, planDigest, marks, problems, texts, ...others } = compiled;
  const told = problems.slice(0, MOST_PROBLEMS);
  const verdict = { ...others, problems: told, leftOut: problems.length - told.length };
  const common = { verdict, planDigest, texts: pack(texts) };
  if (plan === null || marks === null) return { ...common, plan: null };
  const { rest, pools, routes } = planDelta(serializePlan(plan), marks, base);
  return { ...common, plan: { marks, rest, pools: serialized(pools), routes: serialized(routes) } };
}

function serialized<T>(pieces: readonly Piece<T>[]): Uint8Array[] {
  return [...lotsOf(pieces)].map((lot) => serialize(lot));
}
