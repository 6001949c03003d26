/**
 * Compiles without delaying the traffic: small files in this process, large ones in a separate process. Cold.
 *
 * Ten thousand routes in YAML take a second to compile. The compile process sends only what changed since the last plan
 * it sent; the gateway assembles the new plan in time slices.
 */
import { statSync } from 'node:fs';
import { deserialize } from 'node:v8';
import type { Clock } from '../../kit/clock.ts';
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { Fingerprints } from '../../plan/plan-delta.ts';
import { type Piece, type SerializedRoute, PlanDeserializer } from '../../plan/serialized-plan.ts';
import type { Plan } from '../../plan/types.ts';
import type { PoolPlan } from '../../plan/types/pool.ts';
import type { CertificatePlan } from '../../plan/types/tls.ts';
import { CompileWorker } from './compile-worker.ts';
import { compile, type Compiled, type Environment, type Known } from './compile.ts';
import type { CompileAnswer, CompileRequest, PlanAnswer } from './compile-process.ts';
import { unpack } from './packed.ts';

/** Bytes of config that are compiled in this process: a few milliseconds of work. */
const SMALL = 16 * 1024;

export class Compiler {
  readonly #file: string;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #serving: () => boolean;
  readonly #background: CompileWorker;
  /** The last plan from the compile process, while it is still referenced, and its fingerprints there. */
  #last: { readonly plan: WeakRef<Plan>; readonly fingerprints: Fingerprints } | null = null;

  /** `file`: absolute path. `serving`: whether there is traffic to yield to. */
  constructor(file: string, env: Environment, clock: Clock, serving: () => boolean = () => true) {
    this.#file = file;
    this.#env = env;
    this.#clock = clock;
    this.#serving = serving;
    this.#background = new CompileWorker(clock);
  }

  /**
   * Returns null if nothing has changed since `known`. `given`: texts that replace the contents of files, by absolute
   * path; `found`: the files that patterns match; `modules`: whether the config may name modules. Runs one at a time.
   */
  async compile(
    known: Known | null,
    given: Texts = NONE,
    found: Found = NONE,
    modules = true,
  ): Promise<Compiled | null> {
    const input = { file: this.#file, env: this.#env, given, found, modules, clock: this.#clock };
    if (isSmall([this.#file, ...given.keys(), ...(known?.files ?? [])], given)) return compile(input, known);
    return this.#compileThere({ file: this.#file, env: { ...this.#env }, given, found, modules, known });
  }

  async #compileThere(input: Omit<CompileRequest, 'base'>): Promise<Compiled | null> {
    const base = this.#last?.plan.deref() ?? null;
    const answer = await this.#background.ask({ ...input, base: base === null ? null : this.#last!.fingerprints });
    if (answer === null) return null;
    const plan = answer.plan === null ? null : await this.#unwrap(answer.plan, base);
    if (plan !== null) this.#last = { plan: new WeakRef(plan), fingerprints: answer.plan!.fingerprints };
    return compiledThere(answer, plan);
  }

  async #unwrap({ rest, certificates, pools, routes }: PlanAnswer, base: Plan | null): Promise<Plan> {
    const slicer = new TimeSlicer(this.#clock, !this.#serving());
    const unwrapping = new PlanDeserializer(rest, base);
    // The compile process serialized these batches, so their types are known.
    await slicer.each(certificates, (lot) => unwrapping.addCertificates(deserialize(lot) as Piece<CertificatePlan>[]));
    await slicer.each(pools, (lot) => unwrapping.addPools(deserialize(lot) as Piece<PoolPlan>[]));
    await slicer.each(routes, (lot) => unwrapping.addRoutes(deserialize(lot) as Piece<SerializedRoute>[]));
    const plan = unwrapping.plan();
    await slicer.turn();
    return plan;
  }

  async close(): Promise<void> {
    await this.#background.close();
  }
}

function compiledThere({ verdict, planDigest, texts }: CompileAnswer, plan: Plan | null): Compiled {
  return {
    ...verdict,
    plan,
    planDigest,
    get texts() {
      return unpack(texts) as Compiled['texts'];
    },
  };
}

type Texts = ReadonlyMap<string, string>;
type Found = ReadonlyMap<string, readonly string[]>;

const NONE = new Map<string, never>();

/** Whether the files that can be inspected are small together. Of many files only the first are. */
function isSmall(files: Iterable<string>, given: Texts): boolean {
  let bytes = 0;
  for (const file of new Set(files)) {
    bytes += given.get(file)?.length ?? sizeOnDisk(file);
    if (bytes > SMALL) return false;
  }
  return true;
}

/** Returns 0 if the file can't be inspected; reading it reports why. */
function sizeOnDisk(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
