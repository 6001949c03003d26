/**
 * The resolution of one DNS name of endpoints, kept up to date. Cold.
 *
 *     asking ──answer──▶ waits for its TTL ──▶ asking …
 *        └──nothing──▶ waits min_ttl, 2 min_ttl, 4 … 30 s; keeps the known addresses ──▶ asking …
 *
 * Claimed by the name and the query type, so that a reload neither repeats the query nor loses the addresses. It is
 * created inert, starts when its snapshot is about to become current, and ends with the last snapshot that holds it.
 * When a dial to one of its addresses fails, it queries sooner, but at most once in min_ttl.
 */
import type { Clock, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import { DnsQuestions } from '../net/dns-questions.ts';
import type { NameMetrics } from '../observe/metrics.ts';
import type { DnsNamePlan, DnsPlan } from '../plan/types/dns.ts';
import { type Found, NameLookup, type Outcome } from './name-lookup.ts';

/** The longest pause between two rounds without a result (ms), unless max_ttl is shorter. */
const LONGEST_PAUSE = 30_000;

export interface ResolutionParts {
  readonly pool: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: NameMetrics;
  readonly told: ResolutionObserver;
}

/** Receives events for operators. */
export interface ResolutionObserver {
  /** The addresses have changed. */
  addressesChanged(resolution: Resolution, added: readonly string[], removed: readonly string[]): void;
  /** A lookup failed, or succeeds again (`code` is ''). */
  lookupChanged(resolution: Resolution, code: string): void;
}

export class Resolution {
  /** Its pool's name, which a reload may change. */
  pool: string;
  readonly name: DnsNamePlan;
  metrics: NameMetrics;
  /** Sorted by text. */
  found: readonly Found[] = [];
  /** '' or the error of the last round, which found nothing or not everything. */
  lastError = '';
  /** Epoch ms of the last result, and of the next round; 0: never, and none is due. */
  lastFoundAt = 0;
  nextAt = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #told: ResolutionObserver;
  readonly #lookup: NameLookup;
  /** Pools to notify when the addresses change. */
  readonly #users = new Set<() => void>();
  /** Waiters for the end of the first round. */
  #waiting: (() => void)[] = [];
  #plan: DnsPlan;
  #started = false;
  #answered = false;
  #closed = false;
  /** Runs until the next round, or until the round in progress times out. */
  #timer: Timer | null = null;
  #questions: DnsQuestions | null = null;
  /** Monotonic ms: the end of the last round, and the start of the next one. */
  #endedAt = 0;
  #dueAt = 0;
  /** Failed rounds in a row. */
  #failures = 0;
  /** When each address was last in an answer (monotonic ms). */
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

  /** Calls `changed` whenever the addresses change, until the returned function is called. */
  use(changed: () => void): () => void {
    this.#users.add(changed);
    return () => this.#users.delete(changed);
  }

  /** Applies settings that may change. */
  tune(plan: DnsPlan): void {
    this.#plan = plan;
    this.start();
    const latest = this.#endedAt + plan.maxTtl * (1 + plan.jitter / 100);
    if (this.#questions === null && this.#dueAt > latest) this.#wait(latest - this.#clock.now());
  }

  /** Has the first round ended, with any result? */
  get asked(): boolean {
    return this.#answered;
  }

  /** Starts the lookups, if they have not started. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#ask();
  }

  /** Resolves when the first round has ended, with any result. */
  first(): Promise<void> {
    if (this.#answered || this.#closed) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** A dial to one of its addresses failed: the name may have new addresses. */
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
      // False if it was closed meanwhile.
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
    // Jitter after TTLs and after backoff pauses spreads names and gateways that started together.
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

  /** Merges an answer. Returns for how many ms addresses missing from it are held. */
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
