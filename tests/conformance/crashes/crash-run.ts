/** A run of edits, rollbacks and crashes by a seed, held step by step against the model. */
import { deepStrictEqual, strictEqual } from 'node:assert';
import { seededRandom } from '../../../src/kit/random.ts';
import { MortalGateway } from './gateway.ts';
import { killedBetween, lifted, rolledBack, started, type State, type Stored, thatSay, written } from './model.ts';

/** The phases of a reload after which it is killed; '' for a moment of its own. */
const MOMENTS = ['', 'seen', 'parsed', 'planned', 'tested', 'bound', 'active', 'drained'] as const;

interface Tally {
  steps: number;
  /** By moment. */
  readonly kills: Record<string, number>;
  /** Starts that were killed before they served. */
  startsKilled: number;
  /** What starts served by: the file, a hold, what was last good, or nothing. */
  readonly starts: Record<'file' | 'held' | 'last_good' | 'none', number>;
  rollbacks: number;
}

export function newTally(): Tally {
  const starts = { file: 0, held: 0, last_good: 0, none: 0 };
  return { steps: 0, kills: {}, startsKilled: 0, starts, rollbacks: 0 };
}

/** For a disk on a busy machine (ms). */
const PATIENCE = 60_000;

const NOTHING: Stored = { newest: null, hold: null };

class CrashRun {
  readonly #random: () => number;
  readonly #gateway: MortalGateway;
  readonly #tally: Tally;
  /** All that the file has said. */
  readonly #texts: string[] = [];
  #file = '';

  constructor(gateway: MortalGateway, seed: number, tally: Tally) {
    this.#gateway = gateway;
    this.#random = seededRandom(seed);
    this.#tally = tally;
  }

  async run(steps: number): Promise<void> {
    this.#write(this.#newText(true));
    let state = await this.#start(NOTHING);
    for (let step = 0; step < steps; step++) {
      this.#tally.steps++;
      const after = await this.#step(state);
      if (this.#gateway.running) {
        await this.#gateway.settled();
        await this.#holdsTo(after);
        state = after;
      } else state = await this.#startAgain(await this.#seenBetween(state, after));
    }
  }

  /** Does one thing, and may kill the gateway at it. Answers with what it is then, if it has come to its end. */
  async #step(state: State): Promise<State> {
    const [act, after] = await this.#act(state);
    if (this.#random() < 0.5) {
      await act();
      return after;
    }
    const moment = this.#one(MOMENTS);
    const reached = moment === '' ? this.#pause(this.#random() * 80) : this.#gateway.phase(moment);
    const done = act();
    // What changes nothing reaches no phase.
    await Promise.race([reached, this.#pause(300)]);
    await this.#pause(this.#random() * 8);
    await this.#gateway.kill();
    await done;
    this.#tally.kills[moment] = (this.#tally.kills[moment] ?? 0) + 1;
    return after;
  }

  async #act(state: State): Promise<readonly [() => Promise<unknown>, State]> {
    const chance = this.#random();
    if (chance < 0.3) {
      const entry = this.#one(await this.#gateway.entries());
      this.#tally.rollbacks++;
      const path = `/history/${entry.number}/rollback`;
      return [() => this.#gateway.command('POST', path), rolledBack(state, this.#file, entry.text)];
    }
    if (chance < 0.4) return [() => this.#gateway.command('DELETE', '/hold'), lifted(state, this.#file)];
    const text = this.#nextText();
    const act = (): Promise<void> => Promise.resolve(this.#write(text));
    return [act, written(state, text)];
  }

  /** A new one, good or bad, or one that it has said before. */
  #nextText(): string {
    const chance = this.#random();
    return chance < 0.25 ? this.#one(this.#texts) : this.#newText(chance < 0.7);
  }

  #newText(good: boolean): string {
    const text = this.#gateway.textOf(this.#texts.length, good);
    this.#texts.push(text);
    return text;
  }

  #write(text: string): void {
    this.#gateway.write(text);
    this.#file = text;
  }

  /** What is on the disk, which must be one of the things that can be. */
  async #seenBetween(before: Stored, after: Stored): Promise<Stored> {
    const seen = await this.#gateway.stored(this.#texts);
    const possible = killedBetween(before, after);
    deepStrictEqual(
      thatSay(possible, seen).length > 0,
      true,
      `${show(seen)} is none of ${possible.map(show).join(', ')}`,
    );
    return seen;
  }

  /** The file may have changed meanwhile, and it may be killed again before it serves. */
  async #startAgain(stored: Stored): Promise<State> {
    if (this.#random() < 0.3) this.#write(this.#nextText());
    if (this.#random() < 0.25) {
      this.#tally.startsKilled++;
      const could = started(stored, this.#file) ?? stored;
      await this.#gateway.startAndKill(this.#random() * 600);
      return this.#start(await this.#seenBetween(stored, could));
    }
    return this.#start(stored);
  }

  async #start(stored: Stored): Promise<State> {
    const expected = started(stored, this.#file);
    const serves = await this.#gateway.start();
    strictEqual(serves, expected !== null, `it starts if it has something to start by: ${this.#gateway.said}`);
    if (expected === null) {
      this.#tally.starts.none++;
      await this.#gateway.kill();
      this.#write(this.#newText(true));
      return this.#start(stored);
    }
    const { insteadOf } = expected;
    this.#tally.starts[insteadOf === null ? 'file' : insteadOf === this.#file ? 'held' : 'last_good']++;
    await this.#gateway.settled();
    await this.#holdsTo(expected);
    return expected;
  }

  /** It serves that at once; the disk comes to say so. */
  async #holdsTo(state: State): Promise<void> {
    const served = this.#gateway.textOf(Number(await this.#gateway.body()), true);
    strictEqual(short(served), short(state.serves), 'what serves');
    const { newest, hold } = state;
    const started = performance.now();
    let seen = await this.#gateway.stored(this.#texts);
    while (thatSay([seen], { newest, hold }).length === 0 && performance.now() - started < PATIENCE) {
      await this.#pause(5);
      seen = await this.#gateway.stored(this.#texts);
    }
    deepStrictEqual(named(seen), named({ newest, hold }));
  }

  #one<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)]!;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** The number in a text, and whether it is good. */
function short(text: string): string {
  return /body: "(\d+)"|(nobody\d+)/.exec(text)?.slice(1).join('') ?? text;
}

function named({ newest, hold }: Stored): object {
  return {
    newest: newest === null ? null : short(newest),
    hold: hold === null ? null : `${short(hold.serves)} instead of ${short(hold.insteadOf)}`,
  };
}

function show(stored: Stored): string {
  return JSON.stringify(named(stored));
}

/** One run from beginning to end. */
export async function crashRun(seed: number, steps: number, tally: Tally): Promise<void> {
  await using gateway = await MortalGateway.open();
  try {
    await new CrashRun(gateway, seed, tally).run(steps);
  } catch (error) {
    throw new Error(`run ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
