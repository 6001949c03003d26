/**
 * What is known of a name that endpoints are found by, kept up to date. Cold.
 *
 *     asking ──answer──▶ waits for its TTL ──▶ asking …
 *        └──nothing──▶ waits min_ttl, 2 min_ttl, 4 … 30 s; what was known stays ──▶ asking …
 *
 * Claimed by name and by what is asked, so that a reload neither asks anew nor forgets. It is made inert, starts when its
 * snapshot is about to become current, and ends with the last that holds it. When one of its addresses can't be connected
 * to, it asks sooner, but never more often than every min_ttl.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import { DnsQuestions } from '../net/dns-questions.ts';
import type { NameMetrics } from '../observe/metrics.ts';
import type { DnsNamePlan, DnsPlan } from '../plan/types/dns.ts';
import { type Found, NameLookup, type Outcome } from './name-lookup.ts';

/** Between two questions while nothing comes of them (ms), if max_ttl is no less. */
const LONGEST_PAUSE = 30_000;

export interface ResolutionParts {
  readonly pool: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: NameMetrics;
  readonly told: ResolutionObserver;
}

/** Told of what people may want to know. */
export interface ResolutionObserver {
  /** Others are known now. */
  addressesChanged(resolution: Resolution, added: readonly string[], removed: readonly string[]): void;
  /** Nothing could be found out, or now it can again (`code` is ''). */
  lookupChanged(resolution: Resolution, code: string): void;
}

export class Resolution {
  /** Its pool's name, which a reload may change. */
  pool: string;
  readonly name: DnsNamePlan;
  metrics: NameMetrics;
  /** In the order of their texts. */
  found: readonly Found[] = [];
  /** '' or why the last round brought nothing, or not everything. */
  lastError = '';
  /** Epoch ms at which something was last found, and of the next round; 0: never, and none is due. */
  lastFoundAt = 0;
  nextAt = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #told: ResolutionObserver;
  readonly #lookup: NameLookup;
  /** Pools that are to be told of other addresses. */
  readonly #users = new Set<() => void>();
  /** Those who wait for the first round to be over. */
  #waiting: (() => void)[] = [];
  #plan: DnsPlan;
  #started = false;
  #answered = false;
  #closed = false;
  /** Until the next round, or until the one under way has had its time. */
  #timer: Timer | null = null;
  #questions: DnsQuestions | null = null;
  /** Monotonic ms at which the last round ended, and at which the next one is due. */
  #endedAt = 0;
  #dueAt = 0;
  /** Rounds in a row that brought nothing. */
  #failures = 0;
  /** When an answer last had each address (monotonic ms). */
  #seen = new Map<string, number>();

  constructor(name: DnsNamePlan, plan: DnsPlan, parts: ResolutionParts) {
    this.pool = parts.pool;
    this.name = name;
    this.metrics = parts.metrics;
    this.#plan = plan;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#told = parts.told;
    this.#lookup = new NameLookup(name);
  }

  /** `changed` is called whenever others are found, until the function that it answers with is. */
  use(changed: () => void): () => void {
    this.#users.add(changed);
    return () => this.#users.delete(changed);
  }

  /** Takes the settings that may change. */
  tune(plan: DnsPlan): void {
    this.#plan = plan;
    this.start();
    const latest = this.#endedAt + plan.maxTtl * (1 + plan.jitter / 100);
    if (this.#questions === null && this.#dueAt > latest) this.#wait(latest - this.#clock.now());
  }

  /** Has it been asked for, whatever came of it? */
  get asked(): boolean {
    return this.#answered;
  }

  /** Begins to ask, if it has not. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#ask();
  }

  /** Resolves when it has been asked for once, whatever came of it. */
  first(): Promise<void> {
    if (this.#answered || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** One of its addresses fails: it may stand for others by now. */
  suspect(): void {
    if (this.#questions !== null || !this.#started || this.#closed) return;
    const soonest = this.#endedAt + this.#plan.minTtl;
    if (soonest < this.#dueAt) this.#wait(soonest - this.#clock.now());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
    this.#questions?.cancel();
    this.#questions = null;
    this.#release();
  }

  #wait(ms: number): void {
    this.#timer?.cancel();
    const pause = Math.max(0, ms);
    this.#dueAt = this.#clock.now() + pause;
    this.nextAt = this.#clock.wall() + pause;
    this.#timer = this.#clock.after(pause, () => this.#ask());
  }

  #ask(): void {
    const { servers, timeout } = this.#plan;
    const questions = new DnsQuestions(servers, timeout);
    this.#questions = questions;
    this.nextAt = 0;
    this.#timer = this.#clock.after(timeout, () => questions.cancel());
    void this.#lookup.ask(questions).then((outcome) => {
      // It was closed meanwhile.
      if (this.#questions === questions) this.#over(outcome);
    });
  }

  #over({ found, ttl, code }: Outcome): void {
    const { minTtl, maxTtl, jitter } = this.#plan;
    this.#questions = null;
    this.#timer?.cancel();
    this.#endedAt = this.#clock.now();
    this.#noteOutcome(found, code);
    let pause = Math.min(maxTtl, Math.max(minTtl, ttl));
    if (found.length > 0) pause = Math.min(pause, this.#take(found));
    // After TTLs that differ and pauses that are doubled alike, names and gateways that began together drift apart.
    if (this.#failures > 0) pause = Math.min(maxTtl, LONGEST_PAUSE, minTtl * 2 ** (this.#failures - 1));
    this.#wait(pause * (1 + (jitter / 100) * this.#random()));
    this.#answered = true;
    this.#release();
  }

  #noteOutcome(found: readonly Found[], code: string): void {
    const result = code !== '' ? 'failed' : found.length === 0 ? 'empty' : 'found';
    this.metrics.lookups[result]++;
    if (found.length > 0) this.lastFoundAt = this.#clock.wall();
    this.#failures = result === 'found' ? 0 : this.#failures + 1;
    const error = result === 'empty' ? 'EMPTY' : code === 'ECANCELLED' ? 'ETIMEOUT' : code;
    if (error === this.lastError) return;
    this.lastError = error;
    this.#told.lookupChanged(this, error);
  }

  /** Takes over what an answer has. Answers with how many ms what it lacks is held. */
  #take(found: readonly Found[]): number {
    const { hold, minTtl } = this.#plan;
    const now = this.#clock.now();
    const next = new Map<string, Found>();
    const seen = new Map<string, number>();
    for (const one of found) {
      const other = next.get(one.text);
      if (other === undefined || one.priority < other.priority) next.set(one.text, one);
      seen.set(one.text, now);
    }
    let held = Number.POSITIVE_INFINITY;
    for (const one of this.found) {
      const last = this.#seen.get(one.text) ?? 0;
      const left = last + hold - now;
      if (next.has(one.text) || left <= 0) continue;
      next.set(one.text, one);
      seen.set(one.text, last);
      held = Math.min(held, Math.max(minTtl, left));
    }
    this.#seen = seen;
    this.#become([...next.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1)));
    return held;
  }

  #become(found: readonly Found[]): void {
    const old = this.found;
    if (rosterOf(found) === rosterOf(old)) return;
    this.found = found;
    const before = new Set(old.map(({ text }) => text));
    const after = new Set(found.map(({ text }) => text));
    this.metrics.changes++;
    this.metrics.addresses = found.length;
    for (const changed of this.#users) changed();
    this.#told.addressesChanged(
      this,
      [...after].filter((text) => !before.has(text)),
      [...before].filter((text) => !after.has(text)),
    );
  }

  #release(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting = [];
  }
}

function rosterOf(found: readonly Found[]): string {
  return found.map(({ text, priority, weight, host }) => `${text} ${priority} ${weight} ${host}`).join('\n');
}
