/**
 * Resolves a DNS name: makes the queries that it needs, and merges the answers into one list of addresses. Cold.
 *
 * A query that fails keeps its previous answer, so that a failure for one of two servers, or for one address family,
 * does not remove half of the endpoints.
 */
import { isIPv6 } from 'node:net';
import type { Answer, DnsQuestions, Service } from '../net/dns-questions.ts';
import type { DnsNamePlan } from '../plan/types/dns.ts';

/** One address of a name. */
export interface Found {
  /** `address:port`. */
  readonly text: string;
  /** 0 is the highest priority. */
  readonly priority: number;
  /** Relative to the others of its priority. */
  readonly weight: number;
  /** The name with this address: the name itself, or a target of its SRV records. */
  readonly host: string;
}

export interface Outcome {
  readonly found: readonly Found[];
  /** Milliseconds; the shortest of all answers. */
  readonly ttl: number;
  /** '' or the error code of one of the answers; `found` may have addresses all the same. */
  readonly code: string;
}

/** Lifetime of SRV records (ms): the resolver does not report their TTL. */
const SERVICE_TTL = 30_000;
/** The largest weight of an endpoint. */
const MOST_WEIGHT = 1000;
/** Unspecified addresses: a host listens on them, and a client does not connect to them. */
const UNSPECIFIED: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export class NameLookup {
  readonly #name: DnsNamePlan;
  /** The last successful answer to each query. */
  #known = new Map<string, readonly string[]>();
  #asked = new Map<string, readonly string[]>();
  #ttl = 0;
  #code = '';

  constructor(name: DnsNamePlan) {
    this.#name = name;
  }

  /** One round at a time. */
  async ask(questions: DnsQuestions): Promise<Outcome> {
    const { type, host, port } = this.#name;
    this.#asked = new Map();
    this.#ttl = Number.POSITIVE_INFINITY;
    this.#code = '';
    const found = type === 'srv' ? await this.#services(questions) : await this.#at(questions, host, port, 0, 1);
    // Drops answers to queries that are no longer made. A round without any address query changes nothing.
    if (this.#asked.size > 0) this.#known = this.#asked;
    return { found, ttl: this.#ttl, code: this.#code };
  }

  async #services(questions: DnsQuestions): Promise<Found[]> {
    const answer = await questions.services(this.#name.host);
    this.#note(answer);
    if (answer.records.length === 0) return [];
    this.#ttl = Math.min(this.#ttl, SERVICE_TTL);
    const ranks = [...new Set(answer.records.map(({ priority }) => priority))].toSorted((a, b) => a - b);
    const weights = weightsOf(answer.records);
    const found = await Promise.all(
      answer.records.map((record, i) =>
        // A target is a fully qualified name.
        this.#at(questions, `${record.target}.`, record.port, ranks.indexOf(record.priority), weights[i]!),
      ),
    );
    return found.flat();
  }

  async #at(questions: DnsQuestions, host: string, port: number, priority: number, weight: number): Promise<Found[]> {
    const addresses = await this.#addresses(questions, host);
    const name = host.replace(/\.$/, '');
    return addresses
      .filter((address) => !UNSPECIFIED.has(address))
      .map((address) => ({
        text: isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
        priority,
        weight,
        host: `${name}:${port}`,
      }));
  }

  async #addresses(questions: DnsQuestions, host: string): Promise<readonly string[]> {
    const { type } = this.#name;
    const ask = (family: 4 | 6): Promise<readonly string[]> => this.#question(questions, host, family);
    if (type === 'a') return ask(4);
    if (type === 'aaaa') return ask(6);
    if (type === 'both') return (await Promise.all([ask(4), ask(6)])).flat();
    const first = await ask(4);
    return first.length > 0 ? first : ask(6);
  }

  async #question(questions: DnsQuestions, host: string, family: 4 | 6): Promise<readonly string[]> {
    const answer = await questions.addresses(host, family);
    this.#note(answer);
    const key = `${family} ${host}`;
    const records = answer.code === '' ? answer.records : (this.#known.get(key) ?? []);
    this.#asked.set(key, records);
    return records;
  }

  #note({ ttl, code }: Answer<unknown>): void {
    this.#ttl = Math.min(this.#ttl, ttl);
    if (this.#code === '') this.#code = code;
  }
}

/**
 * Converts SRV weights to endpoint weights: reduced, and scaled to the largest permitted weight. RFC 2782: a weight of
 * 0 means a very small chance, and has no meaning if all have it.
 */
function weightsOf(records: readonly Service[]): number[] {
  const most = Math.max(...records.map(({ weight }) => weight));
  const scale = most > MOST_WEIGHT ? MOST_WEIGHT / most : 1;
  const weights = records.map(({ weight }) => Math.max(1, Math.round(weight * scale)));
  const divisor = weights.reduce((a, b) => greatestCommonDivisor(a, b));
  return weights.map((weight) => weight / divisor);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
