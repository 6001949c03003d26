/**
 * The gateway: holds the current snapshot, and what all snapshots share. Cold.
 *
 * reload/reload-path.ts replaces the snapshot with the next one, and is the only caller of `bindContext`, `openings`,
 * `commit` and `tune`.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { DateField } from '../http/date.ts';
import type { Clock } from '../kit/clock.ts';
import { systemClock } from '../kit/clock.ts';
import { type Random, systemRandom } from '../kit/random.ts';
import { TimeSlicer } from '../kit/time-slicing.ts';
import { Deadlines } from '../net/deadlines.ts';
import { HandshakePace } from '../net/tls/handshake-queue.ts';
import { SecureContexts } from '../net/tls/secure-contexts.ts';
import type { BoundAddress } from '../net/listen.ts';
import { AccessLog } from '../observe/access-log.ts';
import { Events } from '../observe/events.ts';
import type { EndpointState } from '../upstream/endpoint.ts';
import type { HealthState } from '../upstream/health.ts';
import { Exposition } from '../observe/exposition.ts';
import { Log } from '../observe/log.ts';
import { Metrics } from '../observe/metrics.ts';
import type { Plan } from '../plan/types.ts';
import { TotalConnections } from '../proxy/admission.ts';
import { decoderMemory, encoderMemory } from '../http/coding/memory.ts';
import { MemoryBudget } from '../kit/memory-budget.ts';
import { Certificates } from './certificates/certificates.ts';
import { ExpiryLog } from './certificates/expiry-log.ts';
import { Accepting } from './snapshot/accepting.ts';
import { AdminListener, type AdminPages } from './admin-listener.ts';
import { ABORT, GOODBYE, type Shared } from '../proxy/listener-context.ts';
import { type BindContext, moveConnections, restUnused, tune } from './snapshot/bind.ts';
import { StateRegistry } from './snapshot/state-registry.ts';
import type { Draining } from './snapshot/draining.ts';
import { Listeners } from './snapshot/listeners.ts';
import { runtimeGauges } from './views/runtime-views.ts';
import { NameTeller } from './snapshot/names.ts';
import { connectionsPossible } from './descriptors.ts';
import { OpenError, openFailure } from './snapshot/open-error.ts';
import type { Prepared } from './snapshot/opening.ts';
import { Overload } from './overload.ts';
import { Retirement } from './snapshot/retirement.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

export interface GatewayOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  /** Where round-robin strategies begin; absent: at a random position. */
  readonly firstTurns?: Random;
  readonly log?: Log;
  /** Lets other processes listen on the same ports. */
  readonly reusePort?: boolean;
  /** The number of client connections that the file descriptors allow; absent: as the system reports. */
  readonly connectionsPossible?: number;
  /** The pages of the admin listener. */
  readonly adminPages?: AdminPages;
  /** The state directory, whatever the config says. */
  readonly stateDir?: string;
  /** The directory of obtained certificates, if neither `stateDir` nor the config names one. */
  readonly defaultStateDir?: string;
}

/** Milliseconds that clients have to respond to the last goodbye. */
const PARTING = 1000;

export type GatewayState = 'starting' | 'serving' | 'overloaded' | 'draining';

export class Gateway {
  readonly log: Log;
  readonly metrics = new Metrics();
  readonly registry = new StateRegistry();
  readonly exposition: Exposition;
  readonly clock: Clock;
  readonly #random: Random;
  readonly #firstTurns: Random;
  readonly #overload: Overload;
  readonly #shared: { -readonly [K in keyof Shared]: Shared[K] };
  readonly #total: TotalConnections;
  readonly #listeners: Listeners;
  readonly #accepting: Accepting;
  readonly #admin: AdminListener;
  /** Snapshots that are no longer current but still hold leases. */
  readonly retirement: Retirement;
  /** The stream of events. */
  readonly events = new Events();
  readonly #names: NameTeller;
  /** Those that the gateway obtains. */
  readonly certificates: Certificates;
  readonly #expiryLog: ExpiryLog;
  #current: Snapshot | null = null;
  #generation = 0;
  #state: GatewayState = 'starting';
  #accessLog: AccessLog | null = null;
  readonly #idPrefix = `${randomBytes(6).toString('base64url')}-`;

  constructor(options: GatewayOptions = {}) {
    this.clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#firstTurns = options.firstTurns ?? systemRandom;
    this.log = options.log ?? new Log(this.clock);
    const { clock, log, metrics, events } = this;
    this.retirement = new Retirement({ clock, log, metrics, events });
    this.#names = new NameTeller(log, events, clock);
    const deadlines = new Deadlines(this.clock);
    this.#shared = {
      clock: this.clock,
      deadlines,
      random: this.#random,
      overloaded: false,
      stopping: false,
      accessLog: null,
      bufferMemory: new MemoryBudget(),
      secureContexts: new SecureContexts(this.clock, this.#random),
      handshakePace: new HandshakePace(this.clock),
      challenges: null,
      date: new DateField(this.clock),
    };
    this.#expiryLog = new ExpiryLog(clock, log, () => this.#current?.plan ?? null);
    this.certificates = new Certificates({
      clock,
      random: this.#random,
      log,
      events,
      metrics: metrics.certificates,
      stateDir: options.stateDir ?? null,
      defaultStateDir: options.defaultStateDir ?? null,
    });
    this.#overload = new Overload(this.clock, this.#shared, (overloaded, reason) =>
      this.#overloadChanged(overloaded, reason),
    );
    this.#listeners = new Listeners({
      reusePort: options.reusePort ?? false,
      accept: (name, transport) => {
        const listener = this.#current?.listeners.get(name);
        if (listener === undefined) transport.destroy();
        else listener.accept(transport);
      },
      admin: (socket) => this.#admin.accept(socket),
      lost: (address, code) =>
        log.error('an address that was closed for a refused config could not be opened again', { address, code }),
    });
    this.#total = new TotalConnections(options.connectionsPossible ?? connectionsPossible());
    this.#accepting = new Accepting(this.#total, this.#listeners, { clock, log, events });
    this.exposition = new Exposition(this.metrics, () => runtimeGauges(this));
    this.#admin = new AdminListener(this, options.adminPages ?? null);
  }

  get current(): Snapshot | null {
    return this.#current;
  }

  get state(): GatewayState {
    return this.#state === 'serving' && this.#shared.overloaded ? 'overloaded' : this.#state;
  }

  /** The current snapshot and the older ones that still hold leases, newest first. */
  get snapshots(): readonly Snapshot[] {
    const old = this.retirement.snapshots;
    return this.#current === null ? old : [this.#current, ...old];
  }

  /** How a retired snapshot is drained; null if the snapshot is current or has ended. */
  drainingOf(snapshot: Snapshot): Draining | null {
    return this.retirement.drainingOf(snapshot);
  }

  /** Connections, attempts and tunnels with a deadline; 0 when the gateway is idle. For leak checks. */
  get timed(): number {
    return this.#shared.deadlines.size;
  }

  /** Bytes of memory that buffered bodies occupy. */
  get bufferedBytes(): number {
    return this.#shared.bufferMemory.used;
  }

  addressOf(listener: string): BoundAddress | null {
    return this.#listeners.addressOf(listener);
  }

  get adminAddress(): BoundAddress | null {
    return this.#listeners.addressOf(null);
  }

  /** Calls `done` once when no lease runs on a generation before this one. Returns a function that stops waiting. */
  whenAlone(generation: number, done: () => void): () => void {
    return this.retirement.whenAlone(generation, done);
  }

  /** The parts to open before the commit. Each throws an OpenError if it can't be opened. */
  openings(plan: Plan): readonly (() => Promise<Prepared> | Prepared)[] {
    return [
      () => this.#prepareAccessLog(plan),
      () => this.#listeners.prepare(plan),
      // The last: once they are followed, authorities may come.
      () => this.certificates.prepare(plan),
    ];
  }

  /** The commit: the only line that changes the current snapshot. Returns the previous one. */
  commit(next: Snapshot | null): Snapshot | null {
    const previous = this.#current;
    this.#current = next;
    return previous;
  }

  /** Gives kept state the settings of the new snapshot. Cannot fail. */
  tune(previous: Snapshot | null, next: Snapshot, context: BindContext): void {
    this.#generation = next.generation;
    if (this.#state === 'starting') this.#state = 'serving';
    this.log.level = next.plan.logging.level;
    if (previous !== null) restUnused(previous, next, this.registry);
    tune(next, context);
    this.#overload.tune(next.plan.limits.overload);
    this.#shared.challenges = this.certificates.engine === null ? null : this.certificates.challenges;
    this.#shared.bufferMemory.limit = next.plan.limits.bufferMemory;
    encoderMemory.limit = next.plan.limits.compressionMemory;
    decoderMemory.limit = next.plan.limits.compressionMemory;
    moveConnections(previous, next);
    this.#expiryLog.follow(next.plan);
    this.#admin.use(next.plan.admin !== null);
  }

  #prepareAccessLog(plan: Plan): Prepared {
    const next = this.#accessLogFor(plan);
    return {
      commit: () => {
        const old = this.#accessLog;
        this.#accessLog = next;
        this.#shared.accessLog = next;
        if (old !== next) void old?.close();
      },
      abort: () => {
        if (next !== this.#accessLog) void next?.close();
      },
    };
  }

  #accessLogFor({ logging: { access } }: Plan): AccessLog | null {
    if (access === null) return null;
    if (this.#accessLog?.path === access.path) return this.#accessLog;
    try {
      return new AccessLog(access.path, this.clock, this.#idPrefix);
    } catch (error) {
      throw new OpenError([openFailure('the access log', access.path, '/logging/access/path', error)]);
    }
  }

  /** The context in which the next snapshot is bound. */
  bindContext(): BindContext {
    return {
      generation: this.#generation + 1,
      registry: this.registry,
      clock: this.clock,
      // Before the first snapshot there is no traffic to yield to.
      slices: new TimeSlicer(this.clock, this.#current === null),
      random: this.#random,
      firstTurns: this.#firstTurns,
      metrics: this.metrics,
      log: this.log,
      shared: this.#shared,
      total: this.#total,
      certificates: this.certificates,
      healthChanged: this.#healthChanged,
      names: this.#names,
      live: () => this.snapshots,
      current: () => this.#current,
    };
  }

  #overloadChanged(overloaded: boolean, reason: string): void {
    if (overloaded) this.log.warn('overloaded: new requests are refused', { reason });
    else this.log.info('no longer overloaded');
    this.events.emit({ time: new Date(this.clock.wall()).toISOString(), type: 'overload', overloaded, reason });
  }

  readonly #healthChanged = (endpoint: EndpointState, from: HealthState): void => {
    const { pool, address, health, metrics } = endpoint;
    if (from === 'healthy' && health.state === 'failing') metrics.ejections++;
    const detail = health.lastDetail === '' ? {} : { detail: health.lastDetail };
    const fields = { pool, endpoint: address.text, from, to: health.state, reason: health.lastError, ...detail };
    if (health.well) this.log.info('endpoint is available', fields);
    else this.log.warn('endpoint is unavailable', fields);
    this.events.emit({ time: new Date(this.clock.wall()).toISOString(), type: 'endpoint', ...fields });
  };

  reopenLogs(): void {
    try {
      this.#accessLog?.reopen();
    } catch (error) {
      this.log.error('the access log could not be reopened and stays as it was', {
        error: (error as Error).message,
      });
    }
  }

  /** Announces a coming stop, on `/ready` and with each response. */
  announceStop(): void {
    this.#state = 'draining';
    this.#shared.stopping = true;
  }

  /** Announces the stop and keeps accepting for `delay` ms. */
  async #delayStop(delay: number): Promise<void> {
    this.announceStop();
    await new Promise<void>((resolve) => void this.clock.after(delay, resolve));
    // First accept the connections in the system's backlog: closing the socket would reset them.
    await setImmediate();
  }

  /**
   * Announces a stop and performs it `delay` ms later: new connections are refused, idle ones end, and running
   * exchanges may finish within `drain` ms (by default the config's own time). Then the gateway aborts the rest. If the
   * config says so and `drain` is not 0, it first sends the protocol's goodbye.
   */
  async close(drain?: number, delay = 0): Promise<void> {
    if (delay > 0 && this.#current !== null) await this.#delayStop(delay);
    const rule = this.#current?.plan.reload.drain;
    const time =
      drain ?? (rule === undefined ? 0 : rule.action === 'finish' ? Number.POSITIVE_INFINITY : rule.deadline);
    this.#state = 'draining';
    this.#accepting.close();
    this.#expiryLog.close();
    this.#listeners.closeTraffic();
    this.#overload.close();
    this.#shared.secureContexts.close();
    const last = this.#current;
    if (last !== null) {
      for (const { table } of last.listeners.values()) table.retire(delay > 0);
      await this.#drained(time);
      if (time > 0 && this.#total.active > 0 && rule?.action === 'goodbye') {
        for (const snapshot of this.snapshots) snapshot.abort(GOODBYE);
        await this.#drained(PARTING);
      }
    }
    for (const snapshot of this.snapshots) snapshot.abort(ABORT);
    if (last !== null) {
      for (const { table } of last.listeners.values()) table.destroy();
      this.commit(null);
      this.retirement.retire(last);
    }
    this.#total.destroyLeft();
    this.#listeners.close();
    await this.certificates.close();
    await Promise.all([this.#admin.close(), this.registry.closed()]);
    await this.#accessLog?.close();
    this.#accessLog = null;
  }

  /** Resolves when no connection is left, or after `ms`. */
  #drained(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const limit = ms === Number.POSITIVE_INFINITY ? null : this.clock.after(ms, resolve);
      this.#total.whenNone(() => {
        limit?.cancel();
        resolve();
      });
    });
  }
}
