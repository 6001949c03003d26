/**
 * Challenges that any gateway with the same store can answer: behind one address, an authority may reach another gateway
 * than the one that made the order. Cold.
 *
 *     store/challenges/<digest>.json     a token or a certificate, as long as its challenge is pending
 *     store/gateways/<id>                one for each gateway, touched while it lives
 *
 * Each looks for new ones every second, which costs one question about the directory. A gateway that knows of others
 * gives them the time to look before it calls the authority. Alone, it does not wait.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { UNFINISHED } from '../kit/disk.ts';
import type { Clock, Timer } from '../kit/clock.ts';
import { type ForeignChallenges, type PendingChallenges, serverNameOf } from './challenges/responder.ts';
import { asRecord } from './client/acme-error.ts';
import type { Challenge, Solver } from './client/order.ts';
import { pause } from './client/patience.ts';
import { type CertificateStore, digestOf } from './store.ts';

/** Milliseconds between two looks, and how long an owner waits for the others to look. */
const PERIOD = 1000;
const WAIT = 2 * PERIOD + 500;
/** How often a gateway shows that it lives, and how long it counts without that (ms). */
const ALIVE = 30_000;
const GONE = 3 * ALIVE;
/** What a gateway that died has left behind goes after that (ms). */
const LEFT = 3_600_000;

export class SharedChallenges {
  readonly #store: CertificateStore;
  readonly #clock: Clock;
  readonly #challenges: PendingChallenges;
  readonly #id = randomBytes(8).toString('hex');
  readonly #own = new Set<string>();
  readonly #timers: Timer[];
  /** When the directory had changed: as it was completely read, and as it was last read. */
  #seen: number | null = null;
  #last: number | null = null;
  #looking: Promise<void> = Promise.resolve();

  constructor(store: CertificateStore, clock: Clock, challenges: PendingChallenges) {
    this.#store = store;
    this.#clock = clock;
    this.#challenges = challenges;
    this.#timers = [
      clock.every(PERIOD, () => this.#then(() => this.#look())),
      clock.every(ALIVE, () => this.#then(() => this.live())),
    ];
  }

  /** Shows the others that this gateway lives. */
  async live(): Promise<void> {
    await this.#store.disk.replace(join(await this.#store.prepare('gateways'), this.#id), '');
  }

  /** The solver of that kind, whose challenges all gateways answer. */
  share(solver: Solver): Solver {
    return {
      type: solver.type,
      present: async (challenge, stop) => {
        const withdraw = await solver.present(challenge, stop);
        const name = `${digestOf(solver.type, challenge.token)}.json`;
        const end = async (): Promise<void> => {
          await withdraw();
          this.#own.delete(name);
          await this.#store.disk.remove(join(this.#store.path, 'challenges', name));
        };
        try {
          await this.#tell(name, solver.type, challenge);
          if (await this.#hasOthers()) await pause(this.#clock, WAIT, stop);
          return end;
        } catch (error) {
          await end();
          throw error;
        }
      },
    };
  }

  async #tell(name: string, type: string, { identifier, token, keyAuthorization }: Challenge): Promise<void> {
    const serverName = serverNameOf(identifier);
    const pair = type === 'tls-alpn-01' ? this.#challenges.tlsAlpn01(serverName) : null;
    const told = pair === null ? { token, keyAuthorization } : { serverName, ...pair };
    this.#own.add(name);
    await this.#store.disk.replace(join(await this.#store.prepare('challenges'), name), JSON.stringify(told));
  }

  async #hasOthers(): Promise<boolean> {
    const { disk, path } = this.#store;
    const now = await this.#now();
    let others = false;
    for (const id of await disk.list(join(path, 'gateways'))) {
      if (id === this.#id || id.startsWith(UNFINISHED)) continue;
      const written = (await disk.written(join(path, 'gateways', id))) ?? 0;
      others ||= now - written < GONE;
      if (now - written > LEFT) await disk.remove(join(path, 'gateways', id));
    }
    return others;
  }

  /** The time of the file system, as of this gateway's last sign of life: clocks of hosts may differ. */
  async #now(): Promise<number> {
    return (await this.#store.disk.written(join(this.#store.path, 'gateways', this.#id))) ?? 0;
  }

  /** Reads the challenges of the others, if there are new ones. */
  async #look(): Promise<void> {
    const { disk, path } = this.#store;
    const folder = join(path, 'challenges');
    const changed = await disk.written(folder);
    if (changed === this.#seen) return;
    const now = await this.#now();
    const found: ForeignChallenges = { tokens: new Map(), pairs: new Map() };
    for (const name of await disk.list(folder)) {
      if (this.#own.has(name) || !name.endsWith('.json')) continue;
      const { token, keyAuthorization, serverName, cert, key } = parse(await disk.read(join(folder, name)));
      if (typeof token === 'string' && typeof keyAuthorization === 'string') found.tokens.set(token, keyAuthorization);
      if (typeof serverName === 'string' && typeof cert === 'string' && typeof key === 'string')
        found.pairs.set(serverName, { cert, key });
      if (now - ((await disk.written(join(folder, name))) ?? now) > LEFT) await disk.remove(join(folder, name));
    }
    this.#challenges.foreign = found;
    // Two changes may have the same time: what has changed is read once more, a second later.
    this.#seen = changed === this.#last ? changed : null;
    this.#last = changed;
  }

  /** One at a time; what fails is tried again soon. */
  #then(act: () => Promise<void>): void {
    this.#looking = this.#looking.then(act).catch(() => {});
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#looking;
    await this.#store.disk.remove(join(this.#store.path, 'gateways', this.#id)).catch(() => {});
    this.#challenges.foreign = null;
  }
}

function parse(text: Buffer | null): Record<string, unknown> {
  try {
    return asRecord(JSON.parse(text?.toString('utf8') ?? ''));
  } catch {
    return {};
  }
}
