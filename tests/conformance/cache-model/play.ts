/** Plays a scenario at a cache, and says what was wrong. */
import http from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import { ask as send } from '../cache-cases/ask.ts';
import type { Subject } from '../cache-cases/run.ts';
import type { Memory, ModelOrigin } from './origin.ts';
import { type Served, wrongWith } from './rules.ts';
import { type Ask, type Scenario, PLACES, type Turn } from './traffic.ts';

/** What a cache that answers from the store may take to ask behind. */
const BEHIND = 2;

export class Stage {
  readonly #origin: ModelOrigin;
  readonly #subject: Subject;
  #agent = new http.Agent({ keepAlive: true });
  #ahead = 0;
  #scenarios = 0;
  /** How often answers came from the origin, and how often not. */
  readonly seen = { asked: 0, reused: 0 };

  constructor(origin: ModelOrigin, subject: Subject) {
    this.#origin = origin;
    this.#subject = subject;
  }

  readonly #now = (): number => Date.now() + 1000 * this.#ahead;

  /** Null if all was as it may be. */
  async play(scenario: Scenario): Promise<string | null> {
    const path = `/scenario/${this.#scenarios++}`;
    const memory = this.#origin.begin(path, scenario, this.#now);
    let number = 0;
    for (const [index, turn] of scenario.turns.entries()) {
      this.#prepare(memory, turn, index);
      const first = number;
      number += turn.asks.length;
      const served = await Promise.all(turn.asks.map((ask, i) => this.#ask(ask, path, memory, index, first + i)));
      for (const one of served) {
        const direct = memory.answers.some(({ ask }) => ask === one.number);
        this.seen[direct ? 'asked' : 'reused']++;
        const wrong = wrongWith(one, memory);
        if (wrong.length > 0) return `turn ${index}, ask ${one.number - first}: ${wrong.join('; ')}`;
      }
      await after(BEHIND);
    }
    return null;
  }

  end(): void {
    this.#agent.destroy();
  }

  #prepare(memory: Memory, { leap, change, reply }: Turn, index: number): void {
    if (leap > 0) {
      this.#ahead += leap;
      this.#subject.advance?.(leap);
      this.#agent.destroy();
      this.#agent = new http.Agent({ keepAlive: true });
    }
    if (change !== null) memory.versions[change]!++;
    memory.turn = index;
    memory.reply = reply;
  }

  async #ask(ask: Ask, path: string, memory: Memory, turn: number, number: number): Promise<Served> {
    const { resource, method, directives, authorization, a, b, range, condition } = ask;
    const { host, query } = PLACES[resource]!;
    const lines = ['host', host, 'x-ask', `${number}`];
    const add = (name: string, value: string | null): void => void (value !== null && lines.push(name, value));
    add('cache-control', directives);
    add('authorization', authorization);
    add('x-a', a);
    add('x-b', b);
    if (method === 'GET' && range !== null) add('range', `bytes=${range[0]}-${range[1]}`);
    const current = memory.etagOf(resource, a === null ? {} : { 'x-a': a });
    if (method === 'GET' && condition !== null) add('if-none-match', condition === 'current' ? current : '"other"');
    const at = this.#now();
    const content = method === 'POST' ? 'a' : undefined;
    if (content !== undefined) lines.push('content-length', '1');
    const got = await send(this.#agent, this.#subject.port, { method, path: path + query, lines, content });
    return { ask, number, turn, at, got };
  }
}
