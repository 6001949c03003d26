/** Plays the table at a cache. */
import http from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import { ask } from './ask.ts';
import { answersOf, type Case, type Chapter, type Step } from './case.ts';
import { declines, wrongWith } from './check.ts';
import { type Script, ScriptedOrigin } from './scripted-origin.ts';
import { calm } from '../../support/stillness.ts';

/** A cache in front of the origin. */
export interface Subject extends AsyncDisposable {
  readonly port: number;
  /** Puts its clock on by so many seconds, if it is in our hands. */
  advance?(seconds: number): void;
}

export interface CaseVerdict {
  readonly chapter: string;
  readonly name: string;
  readonly rule: string;
  readonly kind: Case['kind'];
  readonly outcome: Outcome;
  readonly wrong: readonly string[];
}

/**
 * `unproven`: what must not be was not seen, since the cache went another way, as it may, before it came to that.
 * `unplayed`: it takes a clock that is not in our hands.
 */
export type Outcome = 'passed' | 'failed' | 'unproven' | 'unplayed';

/** What a client that waits for the origin is given before the origin speaks, and a cache to take in what came behind. */
const PATIENCE = 300;
const SETTLES = 15;

export async function playCases(
  chapters: readonly Chapter[],
  open: (originPort: number) => Promise<Subject>,
): Promise<CaseVerdict[]> {
  await using origin = await ScriptedOrigin.open();
  await using subject = await open(origin.port);
  const table = new Table(origin, subject);
  const verdicts: CaseVerdict[] = [];
  for (const { title: chapter, cases } of chapters)
    for (const [index, one] of cases.entries()) {
      const { name, rule, kind } = one;
      const path = `/${chapter.replaceAll(/\W+/g, '_')}/${index + 1}`;
      verdicts.push({ chapter, name, rule, kind, ...(await table.play(one, path)) });
    }
  table.hangUp();
  return verdicts;
}

class Table {
  readonly #origin: ScriptedOrigin;
  readonly #subject: Subject;
  #agent = new http.Agent({ keepAlive: true });
  #ahead = 0;

  constructor(origin: ScriptedOrigin, subject: Subject) {
    this.#origin = origin;
    this.#subject = subject;
  }

  hangUp(): void {
    this.#agent.destroy();
    this.#agent = new http.Agent({ keepAlive: true });
  }

  /** Up to the first step that goes wrong. */
  async play({ kind, steps }: Case, path: string): Promise<{ outcome: Outcome; wrong: string[] }> {
    const timed = steps.some(({ later }) => later !== undefined);
    if (timed && this.#subject.advance === undefined) return { outcome: 'unplayed', wrong: [] };
    const script = this.#origin.begin(path, () => Date.now() + 1000 * this.#ahead);
    for (const [index, step] of steps.entries()) {
      const wrong = await this.#step(step, script);
      if (wrong.length === 0) continue;
      const unproven = kind === 'must' && (index < steps.length - 1 || declines(wrong));
      return { outcome: unproven ? 'unproven' : 'failed', wrong: wrong.map((one) => `step ${index + 1}: ${one}`) };
    }
    return { outcome: 'passed', wrong: [] };
  }

  async #step(step: Step, script: Script): Promise<string[]> {
    if (step.later !== undefined) {
      this.#ahead += step.later;
      this.#subject.advance?.(step.later);
      // Its idle connections have grown old with everything else, and may be closed at any time.
      this.hangUp();
    }
    const { promise: gate, resolve: speak } = Promise.withResolvers<void>();
    script.next(answersOf(step), step.how === 'behind' ? gate : null);
    const before = script.given.length;
    const { method = 'GET', at = '', host = 'cache.example', send = {}, content } = step;
    const lines = ['host', host, ...script.lines(send)];
    if (content !== undefined) lines.push('content-length', `${content.length}`);
    const answer = ask(this.#agent, this.#subject.port, { method, path: script.path + at, lines, content });
    let early = false;
    if (step.how === 'behind') {
      early = await Promise.race([answer.then(() => true), this.#inVain(script)]);
      if (early) await this.#askedBehind(script);
      speak();
      await calm(SETTLES);
    }
    const got = await answer;
    const given = script.given;
    return wrongWith(step, script, {
      got,
      before: given.slice(0, before),
      now: given.slice(before),
      seen: script.seen,
      early,
    });
  }

  /** The origin has been asked, and the client, that waits for it, has had time to be given something else. */
  async #inVain(script: Script): Promise<false> {
    await this.#askedBehind(script);
    await calm(PATIENCE);
    return false;
  }

  async #askedBehind(script: Script): Promise<void> {
    for (let tries = 0; tries < 1000 && script.seen.length === 0; tries++) await after(4);
  }
}
