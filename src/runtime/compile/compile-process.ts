/**
 * Compiles in a separate process and sends the gateway the pieces that it lacks, in small batches. Cold; started by
 * compile-worker.ts.
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
  readonly modules: boolean;
  readonly known: Known | null;
  /** The fingerprints, made by this process, of a plan that the gateway has; null: it has none. */
  readonly base: Fingerprints | null;
}

/** Every part is quick to receive except the batches, which the gateway reads one at a time. */
export interface CompileAnswer {
  readonly verdict: Omit<Verdict, 'texts'>;
  /** The verdict's texts, packed: they are long and seldom needed. */
  readonly texts: Uint8Array;
  readonly planDigest: string;
  /** null: there is no plan. */
  readonly plan: PlanAnswer | null;
}

export interface PlanAnswer {
  /** The gateway keeps them with the plan for the next request. */
  readonly fingerprints: Fingerprints;
  readonly rest: PlanDelta['rest'];
  /** Each item deserializes to a list of pieces. */
  readonly certificates: readonly Uint8Array[];
  readonly pools: readonly Uint8Array[];
  readonly routes: readonly Uint8Array[];
}

/** Milliseconds without a request before a garbage collection. */
const RESTING = 1000;

/**
 * The most problems sent to the gateway, more than any report shows: receiving a hundred thousand would delay its
 * traffic.
 */
const MOST_PROBLEMS = 1000;

let resting: Timer | null = null;
process.on('message', (request: CompileRequest) => {
  resting?.cancel();
  // Ignore the error if the gateway has exited meanwhile.
  process.send?.(answer(request), () => {});
  // Collect garbage once no request is waiting: otherwise this process would grow with each config.
  resting = systemClock.after(RESTING, () => globalThis.gc?.());
});
process.on('disconnect', () => process.exit());
// These signals are meant for the gateway, which ends this process when it no longer needs it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)
  process.on(signal, () => {});

stepBack();
if (process.argv[2] === IDLE) stepAside();

/** Returns null if nothing has changed. */
function answer({ known, base, ...input }: CompileRequest): CompileAnswer | null {
  const compiled = compile(input, known);
  if (compiled === null) return null;
  const { plan, planDigest, fingerprints, problems, texts, ...others } = compiled;
  const told = problems.slice(0, MOST_PROBLEMS);
  const verdict = { ...others, problems: told, leftOut: problems.length - told.length };
  const common = { verdict, planDigest, texts: pack(texts) };
  if (plan === null || fingerprints === null) return { ...common, plan: null };
  const { rest, certificates, pools, routes } = planDelta(serializePlan(plan), fingerprints, base);
  const pieces = { certificates: serialized(certificates), pools: serialized(pools), routes: serialized(routes) };
  return { ...common, plan: { fingerprints, rest, ...pieces } };
}

function serialized<T>(pieces: readonly Piece<T>[]): Uint8Array[] {
  return [...lotsOf(pieces)].map((lot) => serialize(lot));
}
