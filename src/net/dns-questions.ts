/**
 * Asks DNS servers for the records of names, with their TTLs. Cold.
 *
 * On Node's resolver (c-ares), which uses no thread of the pool and keeps nothing in mind. Its answers are values: a server
 * that can't be reached or refuses is an answer with a code. It is made for one round of questions, so that a system whose
 * servers change is always asked as it is now.
 */
import { promises as dns } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { searchedNames } from './search-list.ts';

export interface Answer<R> {
  readonly records: readonly R[];
  /** Milliseconds; Infinity: not said. */
  readonly ttl: number;
  /** '' if there was an answer, be it empty; else what was wrong: ESERVFAIL, ETIMEOUT, … */
  readonly code: string;
}

/** RFC 2782. */
export interface Service {
  readonly target: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** There is no such name, or it has no such records. */
const EMPTY: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);
/** Of them: the others may be another server's. */
const TRIES = 2;
/** Parts of the whole time that the first try of a question may take; c-ares gives the second one twice as much. */
const PARTS = 3;
/** Records of one answer that are taken. */
const MOST_RECORDS = 1000;

export class DnsQuestions {
  readonly #resolver: dns.Resolver;
  readonly #system: boolean;
  #cancelled = false;

  /** `servers`: each with its port; null: the system's. `timeout`: milliseconds for all of them. */
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

  /** Node does not tell their TTL. A single target "." says that there is no such service. */
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

  /** What is still open is answered with ECANCELLED. */
  cancel(): void {
    this.#cancelled = true;
    this.#resolver.cancel();
  }

  /** Asks for what the name may be short for, until there is an answer that is not empty. */
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

  /** Servers that the config names know nothing of the system's search list. */
  async #namesOf(name: string): Promise<string[]> {
    if (!this.#system || name.endsWith('.')) return [name];
    return searchedNames(name, await readFile('/etc/resolv.conf', 'utf8').catch(() => ''));
  }
}
