/**
 * Queries DNS servers for the records of names, with their TTLs. Cold.
 *
 * It uses Node's resolver (c-ares), which needs no thread of the pool and caches nothing. Its answers are values: a
 * server that is unreachable or refuses gives an answer with a code. Each round of queries has its own instance, so
 * that changes to the system's servers take effect at once.
 */
import { promises as dns } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { searchedNames } from './search-list.ts';

export interface Answer<R> {
  readonly records: readonly R[];
  /** Milliseconds; Infinity if unknown. */
  readonly ttl: number;
  /** '' for an answer, even an empty one; else the error: ESERVFAIL, ETIMEOUT, … */
  readonly code: string;
}

/** RFC 2782. */
export interface Service {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** The name does not exist or has no such records. */
const EMPTY: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);
/** Tries per query; the second may go to another server. */
const TRIES = 2;
/** The first try of a query gets this fraction of the whole timeout; c-ares gives the second one twice as much. */
const PARTS = 3;
/** The limit on records from one answer. */
const MOST_RECORDS = 1000;

export class DnsQuestions {
  readonly #resolver: dns.Resolver;
  readonly #system: boolean;
  #cancelled = false;

  /** `servers` have a port each; null means the system's. `timeout` is in milliseconds, for all of them. */
  constructor(servers: readonly string[] | null, timeout: number) {
    this.#resolver = new dns.Resolver({ timeout: Math.ceil(timeout / PARTS), tries: TRIES });
    this.#system = servers === null;
    if (servers !== null) this.#resolver.setServers(servers);
  }

  addresses(name: string, family: 4 | 6): Promise<Answer<string>> {
    const resolver = this.#resolver;
    return this.#ask(name, async (one) => {
      const found = await (family === 4
        ? resolver.resolve4(one, { ttl: true })
        : resolver.resolve6(one, { ttl: true }));
      const ttl = Math.min(...found.map((record) => record.ttl)) * 1000;
      return { records: found.map(({ address }) => address), ttl };
    });
  }

  /** Node does not report their TTL. A single target "." means that the service does not exist. */
  services(name: string): Promise<Answer<Service>> {
    return this.#ask(name, async (one) => {
      const found = await this.#resolver.resolveSrv(one);
      const records = found.map(({ name: target, port, priority, weight }) => ({ target, port, priority, weight }));
      return {
        records: records.filter(({ target }) => target !== '' && target !== '.'),
        ttl: Number.POSITIVE_INFINITY,
      };
    });
  }

  /** Open queries are answered with ECANCELLED. */
  cancel(): void {
    this.#cancelled = true;
    this.#resolver.cancel();
  }

  /** Queries each expansion of the name, until an answer is not empty. */
  async #ask<R>(name: string, ask: (name: string) => Promise<Omit<Answer<R>, 'code'>>): Promise<Answer<R>> {
    for (const one of await this.#namesOf(name)) {
      if (this.#cancelled) return { records: [], ttl: Number.POSITIVE_INFINITY, code: 'ECANCELLED' };
      try {
        const { records, ttl } = await ask(one);
        if (records.length > 0) return { records: records.slice(0, MOST_RECORDS), ttl, code: '' };
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? 'ERROR';
        if (!EMPTY.has(code)) return { records: [], ttl: Number.POSITIVE_INFINITY, code };
      }
    }
    return { records: [], ttl: Number.POSITIVE_INFINITY, code: '' };
  }

  /** The system's search list does not apply to servers from the config. */
  async #namesOf(name: string): Promise<string[]> {
    if (!this.#system || name.endsWith('.')) return [name];
    return searchedNames(name, await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
  }
}
