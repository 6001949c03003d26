/** Feeds files that might be configs to a gateway that serves, and says what was wrong with how it took them. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../../../src/kit/random.ts';
import { compile, type Compiled } from '../../../src/runtime/compile/compile.ts';
import type { ReloadView } from '../../../src/runtime/reload/reload.ts';
import { FaultOrigin } from '../../support/fault-origin.ts';
import { get, getJson } from '../../support/requests.ts';
import type { Holdings } from '../bad-clients/inside.ts';
import { Load } from '../chaos/load.ts';
import { freePorts } from '../../support/ports.ts';
import { type GatewayProcess, startProcess } from '../gateway-process.ts';
import { type Format, seedsOf, spoil, type Spoilt } from './generate.ts';

export interface FuzzOptions {
  readonly format: Format;
  readonly files: number;
  readonly seed: number;
  /** Begins with that file. */
  readonly first: number;
}

/** What became of the files of one kind. */
export interface Tally {
  files: number;
  /** By the reason. */
  readonly refused: Map<string, number>;
  inEffect: number;
  /** Valid, and not fed: they would end the traffic that is watched, or dial other machines. */
  leftOut: number;
}

export interface FuzzResult {
  readonly kinds: ReadonlyMap<string, Tally>;
  readonly findings: readonly string[];
  readonly requests: number;
  readonly failures: ReadonlyMap<string, number>;
  /** Milliseconds: of a request, and from a file's change to its verdict. */
  readonly slowestRequest: number;
  readonly slowestVerdict: { readonly index: number; readonly kind: string; readonly ms: number };
  /** Seen by the watcher alone. */
  readonly watched: number;
  readonly generations: number;
  /** After a tenth of the files, and after all. */
  readonly memory: readonly [Holdings, Holdings];
  readonly rss: readonly [first: number, last: number, highest: number];
  readonly descriptors: readonly [first: number, last: number];
  /** The gateway's exit code when it was told to stop. */
  readonly code: number | null;
}

/** A file in a row is the root, or the one that it includes. */
const ROW = 25;
/** One in so many is found by the watcher; the others are asked for. */
const WATCHED = 10;
const PATIENCE = 300_000;

export async function fuzzConfigs({ format, files, seed, first }: FuzzOptions): Promise<FuzzResult> {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-config-fuzz-'));
  try {
    mkdirSync(join(folder, 'parts'));
    const [admin = 0, port = 0] = await freePorts(2);
    await using origin = await FaultOrigin.open();
    const base = JSON.stringify({
      version: 1,
      include: [`parts/*.${format}`],
      admin: { address: `127.0.0.1:${admin}` },
      listeners: { traffic: { address: `127.0.0.1:${port}` } },
      pools: { watched: { endpoints: [`127.0.0.1:${origin.port}`] } },
      // The first, so that no part of the config takes its requests.
      routes: [{ name: 'watched', listeners: ['traffic'], match: {}, pool: 'watched' }],
    });
    const scene = new Scene(folder, format, base);
    await using gateway = await startProcess(scene.root, admin);
    return await new Fuzz(scene, gateway, new Load(port, 4, 5)).run(files, seed, first, seedsOf(format));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Lane = 'root' | 'part';

/** The two files, and what a second reader makes of what might stand in them. */
class Scene {
  readonly root: string;
  readonly part: string;
  readonly #base: string;
  readonly #digest: string;

  constructor(folder: string, format: Format, base: string) {
    this.root = join(folder, `gateway.${format}`);
    this.part = join(folder, 'parts', `part.${format}`);
    this.#base = base;
    this.restore('root');
    this.restore('part');
    this.#digest = this.judge('root', Buffer.from(base))!.planDigest;
  }

  restore(lane: Lane): void {
    this.write(lane, Buffer.from(lane === 'root' ? this.#base : '{}'));
  }

  write(lane: Lane, bytes: Buffer): void {
    const file = this[lane];
    writeFileSync(`${file}.new`, bytes);
    renameSync(`${file}.new`, file);
  }

  /** null: it is no text. */
  judge(lane: Lane, bytes: Buffer): Compiled | null {
    let text: string;
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return null;
    }
    if (bytes.length > 32 * 1024 * 1024) return null;
    return compile({ file: this.root, env: process.env, given: new Map([[this[lane], text]]) });
  }

  /** Does it leave the watched traffic as it is, and other machines alone? */
  harmless(lane: Lane, { plan, planDigest }: Compiled): boolean {
    if (lane === 'root') return planDigest === this.#digest;
    const local = plan!.listeners.every(({ address: { host, path } }) => path === null && host.startsWith('127.'));
    return local && plan!.pools.every(({ name, health }) => name === 'watched' || health.active === null);
  }
}

class Fuzz {
  readonly #scene: Scene;
  readonly #gateway: GatewayProcess;
  readonly #load: Load;
  readonly #kinds = new Map<string, Tally>();
  readonly #findings: string[] = [];
  #generation = 1;
  #slowest = { index: -1, kind: '', ms: 0 };
  #watched = 0;

  constructor(scene: Scene, gateway: GatewayProcess, load: Load) {
    this.#scene = scene;
    this.#gateway = gateway;
    this.#load = load;
  }

  async run(files: number, seed: number, first: number, seeds: readonly string[]): Promise<FuzzResult> {
    const gateway = this.#gateway;
    const format = this.#scene.root.split('.').at(-1) as Format;
    let highest = 0;
    const watch = setInterval(() => (highest = gateway.alive() ? Math.max(highest, gateway.rss()) : highest), 200);
    let [memory, rss, descriptors] = [await gateway.holdings(), gateway.rss(), gateway.descriptors()];
    let lane: Lane = 'root';
    for (let i = 0; i < files && gateway.alive(); i++) {
      const wanted = Math.floor((first + i) / ROW) % 2 === 0 ? 'root' : 'part';
      if (wanted !== lane) await this.#restore(lane);
      lane = wanted;
      // Each file from a seed of its own, so that one alone can be made again.
      await this.#feed(lane, first + i, spoil(seededRandom(seed * 1_000_003 + first + i), seeds, format));
      if (i === Math.floor(files / 10))
        [memory, rss, descriptors] = [await gateway.holdings(), gateway.rss(), gateway.descriptors()];
    }
    if (gateway.alive()) await this.#restore(lane);
    await this.#load.stop();
    clearInterval(watch);
    if (!gateway.alive()) throw new Error(`the gateway has ended: ${(await gateway.stop()).said.slice(-2000)}`);
    const [lastMemory, lastRss, lastDescriptors] = [await gateway.holdings(), gateway.rss(), gateway.descriptors()];
    const { code } = await gateway.stop();
    const { seen, answered, slowest } = this.#load;
    return {
      kinds: this.#kinds,
      findings: this.#findings,
      requests: answered,
      failures: new Map([...seen].filter(([what]) => what !== 'ok')),
      slowestRequest: slowest,
      slowestVerdict: this.#slowest,
      watched: this.#watched,
      generations: this.#generation,
      memory: [memory, lastMemory],
      rss: [rss, lastRss, highest],
      descriptors: [descriptors, lastDescriptors],
      code,
    };
  }

  async #feed(lane: Lane, index: number, { kind, bytes }: Spoilt): Promise<void> {
    const tally = this.#tallyOf(kind);
    tally.files++;
    const judged = this.#scene.judge(lane, bytes);
    const valid = judged !== null && judged.plan !== null;
    if (valid && !this.#scene.harmless(lane, judged)) {
      tally.leftOut++;
      return;
    }
    const started = performance.now();
    const view = await this.#tell(lane, bytes, index);
    const ms = performance.now() - started;
    if (ms > this.#slowest.ms) this.#slowest = { index, kind, ms };
    const { result, reason, generation } = view;
    const say = (what: string): void =>
      void this.#findings.push(
        `file ${index}, ${kind}, ${lane}: ${what}; ${result} ${reason} ${view.problem.slice(0, 500)}`,
      );
    if (result === 'failed') tally.refused.set(reason, (tally.refused.get(reason) ?? 0) + 1);
    else tally.inEffect++;
    if (reason === 'defect') say('a defect');
    if (!valid && result !== 'failed') say('in effect, and not valid');
    if (valid && result === 'failed' && reason !== 'bind') say('valid, and refused');
    // The watcher may have been faster than the question: then nothing has changed since.
    const moved = generation !== this.#generation;
    if (moved && !valid) say(`generation ${generation} after ${this.#generation}`);
    this.#generation = generation;
    if (moved) await this.#restore(lane);
  }

  /** What becomes of it. */
  async #tell(lane: Lane, bytes: Buffer, index: number): Promise<ReloadView> {
    const { adminPort } = this.#gateway;
    if (index % WATCHED !== 0) {
      this.#scene.write(lane, bytes);
      return this.#ask();
    }
    const last = (): Promise<ReloadView> => getJson<ReloadView>(adminPort, '/reloads/last?wait=active&timeout=2m');
    const { id } = await last();
    this.#scene.write(lane, bytes);
    // What reads the same as the one before, as no text does, is nothing new.
    for (const until = performance.now() + 2000; performance.now() < until; ) {
      const view = await last();
      if (view.id !== id) {
        this.#watched++;
        return view;
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this.#ask();
  }

  async #ask(): Promise<ReloadView> {
    const path = `/reloads?wait=active&timeout=${PATIENCE}ms`;
    const { body } = await get(this.#gateway.adminPort, path, { method: 'POST' });
    // The admin page's own form.
    return JSON.parse(body) as ReloadView;
  }

  async #restore(lane: Lane): Promise<void> {
    this.#scene.restore(lane);
    const { result, generation, problem } = await this.#ask();
    if (result === 'failed' || result === 'pending')
      this.#findings.push(`the config that it had is ${result}: ${problem}`);
    this.#generation = generation;
  }

  #tallyOf(kind: string): Tally {
    let tally = this.#kinds.get(kind);
    if (tally === undefined) this.#kinds.set(kind, (tally = { files: 0, refused: new Map(), inEffect: 0, leftOut: 0 }));
    return tally;
  }
}
