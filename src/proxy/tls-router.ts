/**
 * Chooses what happens to a connection by its first bytes: the ClientHello, or that there is none. Hot: once per
 * connection, at a cost that does not grow with the number of TLS routes.
 *
 * Compiled for each listener of a snapshot. The first TLS route that matches wins; what none matches is decrypted if
 * the listener has TLS, else relayed to its pool as it is.
 */
import type { ClientHello } from '../net/tls/client-hello.ts';
import type { ListenerPlan } from '../plan/types.ts';
import type { PoolPlan } from '../plan/types/pool.ts';

/** What the first bytes of a connection have shown. `unread`: the listener does not look at them. */
export type Opening = ClientHello | 'plain' | 'unread';

export interface StreamChoice<P> {
  /** `relay`: as it is. */
  readonly action: 'relay' | 'terminate' | 'refuse';
  /** The TLS route that has matched, or ''. */
  readonly route: string;
  /** Where the bytes go; null: nowhere, or requests are read from them. */
  readonly pool: P | null;
}

interface Entry<P> {
  /** Lower wins. */
  readonly order: number;
  readonly alpn: readonly string[] | null;
  readonly choice: StreamChoice<P>;
}

/** The parts of a listener that decide. */
export type TlsRouting = Pick<ListenerPlan, 'protocol' | 'pool' | 'plainPool' | 'tls' | 'tlsRoutes'>;

export class TlsRouter<P> {
  /** Whether the first bytes of a connection decide. */
  readonly reads: boolean;
  readonly #unread: StreamChoice<P>;
  readonly #plain: StreamChoice<P>;
  /** For connections that no TLS route takes. */
  readonly #rest: StreamChoice<P>;
  readonly #any: Entry<P>[] = [];
  readonly #exact = new Map<string, Entry<P>[]>();
  /** By ".example.com", for "*.example.com". */
  readonly #wildcards = new Map<string, Entry<P>[]>();

  /** Cold. */
  constructor({ protocol, pool, plainPool, tls, tlsRoutes }: TlsRouting, poolOf: (plan: PoolPlan) => P) {
    const to = (plan: PoolPlan | null): StreamChoice<P> => ({
      action: plan === null ? 'refuse' : 'relay',
      route: '',
      pool: plan === null ? null : poolOf(plan),
    });
    this.reads = tls !== null || tlsRoutes.length > 0;
    this.#unread = to(pool);
    this.#plain = to(plainPool);
    const decrypts = tls !== null && (protocol === 'http' || pool !== null);
    this.#rest = decrypts ? { ...to(pool), action: 'terminate' } : to(pool);
    for (const [order, { name: route, match, mode, pool: own }] of tlsRoutes.entries()) {
      const action = mode === 'terminate' ? mode : 'relay';
      const choice: StreamChoice<P> = { action, route, pool: own === null ? null : poolOf(own) };
      const entry = { order, alpn: match.alpn, choice };
      for (const name of match.serverName ?? ['']) this.#listFor(name).push(entry);
    }
  }

  choose(opening: Opening): StreamChoice<P> {
    if (opening === 'unread') return this.#unread;
    return opening === 'plain' ? this.#plain : this.#route(opening);
  }

  #route({ serverName: name, protocols }: ClientHello): StreamChoice<P> {
    let best = earliest(this.#any, protocols, null);
    if (name !== '') {
      best = earliest(this.#exact.get(name), protocols, best);
      if (this.#wildcards.size > 0)
        for (let dot = name.indexOf('.', 1); dot > 0; dot = name.indexOf('.', dot + 1))
          best = earliest(this.#wildcards.get(name.slice(dot)), protocols, best);
    }
    return best === null ? this.#rest : best.choice;
  }

  #listFor(name: string): Entry<P>[] {
    if (name === '') return this.#any;
    const [map, key] = name.startsWith('*') ? [this.#wildcards, name.slice(1)] : [this.#exact, name];
    let list = map.get(key);
    if (list === undefined) map.set(key, (list = []));
    return list;
  }
}

/** The first of `entries`, which are in order, that the protocols of the client meet; `best` if that comes earlier. */
function earliest<P>(
  entries: readonly Entry<P>[] | undefined,
  protocols: readonly string[],
  best: Entry<P> | null,
): Entry<P> | null {
  if (entries === undefined) return best;
  for (const entry of entries) {
    if (best !== null && best.order < entry.order) return best;
    if (entry.alpn === null || entry.alpn.some((one) => protocols.includes(one))) return entry;
  }
  return best;
}
