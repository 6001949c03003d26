/**
 * Compiles without holding up the traffic: small files at once, large ones in a thread of their own. Cold.
 *
 * Ten thousand routes in YAML take a second to compile. The thread is started when it is first needed and ends when it
 * has not been needed for a while; its plans come over a few routes at a time, each in a turn of the event loop.
 */
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../kit/clock.ts';
import { type RouteParcel, Unwrapping } from '../plan/parcel.ts';
import { compile, type Compiled, type Environment, type Known } from './compile.ts';
import type { CompileAnswer, CompileRequest, RoutesRequest } from './compile-worker.ts';

/** Bytes of config that are compiled where they are: a few milliseconds' worth. */
const SMALL = 16 * 1024;
/** Routes handed over in one turn. */
const BATCH = 250;
/** Milliseconds that the thread is kept for a further change. */
const KEPT = 300_000;
/** For the thread's short-lived objects, of which there are many: fewer, larger collections. */
const YOUNG_SPACE_MB = 64;

export class Compiler {
  readonly #file: string;
  readonly #env: Environment;
  readonly #clock: Clock;
  #worker: Worker | null = null;
  #ending: Timer | null = null;

  /** `file`: absolute path. */
  constructor(file: string, env: Environment, clock: Clock) {
    this.#file = file;
    this.#env = env;
    this.#clock = clock;
  }

  /**
   * Answers null if all is still as `known`. `given`: texts that stand for what is in files of these absolute paths; `found`:
   * what is found for patterns. One at a time.
   */
  async compile(known: Known | null, given: Texts = NONE, found: Found = NONE): Promise<Compiled | null> {
    const input = { file: this.#file, env: this.#env, given, found, clock: this.#clock };
    if (sizeOf([this.#file, ...given.keys(), ...(known?.files ?? [])], given) <= SMALL) return compile(input, known);
    this.#ending?.cancel();
    const worker = (this.#worker ??= this.#start());
    try {
      return await this.#compileIn(worker, { file: this.#file, env: { ...this.#env }, given, found, known });
    } finally {
      this.#ending = this.#clock.after(KEPT, () => void this.close());
    }
  }

  #start(): Worker {
    const entry = import.meta.url.endsWith('.ts') ? './compile-worker.ts' : './compile-worker.js';
    const worker = new Worker(new URL(entry, import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_SPACE_MB },
    });
    worker.unref();
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }

  async #compileIn(worker: Worker, request: CompileRequest): Promise<Compiled | null> {
    const ask = async (message: CompileRequest | RoutesRequest): Promise<unknown> => {
      worker.postMessage(message);
      // `once` rejects with the worker's error, should it have one: a defect, which nobody here can mend.
      const [reply] = (await once(worker, 'message')) as [unknown];
      return reply;
    };
    // The worker answers each of the two questions with its own kind of answer.
    const answer = (await ask(request)) as CompileAnswer | null;
    if (answer === null) return null;
    const { verdict, planDigest, rest } = answer;
    if (rest === null) return { ...verdict, plan: null, planDigest };
    const plan = new Unwrapping(rest);
    for (let from = 0; from < answer.routes; from += BATCH) {
      plan.add((await ask([from, from + BATCH])) as RouteParcel[]);
    }
    return { ...verdict, plan: plan.plan(), planDigest };
  }

  async close(): Promise<void> {
    this.#ending?.cancel();
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

type Texts = ReadonlyMap<string, string>;
type Found = ReadonlyMap<string, readonly string[]>;

const NONE = new Map<string, never>();

/** Bytes, as far as the files can be looked at. */
function sizeOf(files: Iterable<string>, given: Texts): number {
  let bytes = 0;
  for (const file of new Set(files))
    bytes += given.get(file)?.length ?? statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}
