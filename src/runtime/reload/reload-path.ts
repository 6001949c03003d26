/**
 * The whole way of a reload on one page, stages in order. Cold.
 *
 *     read ─▶ compile ─▶ check ─▶ bind ─▶ names ─▶ open ─▶ COMMIT ─▶ tune ─▶ retire ─▶ migrate
 *     └ fromSource ───┘  └ settle ┘  └ applyPlan ──────────────────────────────────────────┘
 *
 * Every step before the commit can fail and leaves the old snapshot untouched; no step after it can fail. One reload
 * runs at a time (reload-queue.ts). A change of the source enters at `fromSource`. A push (reloader.ts) and a history
 * entry (history-fallback.ts) compile texts of their own and enter at `settle`; a start enters at `apply`, because its
 * failure ends the process.
 */
import { type ForgottenAdminState, forgottenAdminStates } from '../../plan/diff/forgotten.ts';
import type { Plan } from '../../plan/types.ts';
import type { Compiled } from '../compile/compile.ts';
import type { Gateway } from '../gateway.ts';
import { bind } from '../snapshot/bind.ts';
import { askFirst } from '../snapshot/names.ts';
import { OpenError } from '../snapshot/open-error.ts';
import { type ApplySteps, openAll } from '../snapshot/opening.ts';
import { withServedCertificates } from '../snapshot/served-certificates.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { endpointViews, forgetSeries } from '../views/runtime-views.ts';
import { type Outcomes, refusalOf, refusalToOpen } from './outcomes.ts';
import { RefusedError } from './refused-error.ts';
import type { Reload } from './reload.ts';
import { changesBetween } from './summarize-diff.ts';

/** One reload of the source. The reloader implements it. */
export interface SourceReload {
  readonly reload: Reload;
  /** A client requested it, and waits for its end: it runs even if nothing seems to have changed. */
  readonly forced: boolean;
  /** Reads the source and compiles it. Returns null if nothing has changed. */
  compile(): Promise<Compiled | null>;
  /** Waits before a refused config is read again. Returns false if the gateway closes meanwhile. */
  pause(): Promise<boolean>;
  /** Whether the source changed while it was read: it hints again once it is complete. */
  unsettled(): boolean;
  /** Notes the inputs of the config, so that changes of them are noticed. */
  note(compiled: Compiled): void;
  /** Whether a history entry serves in place of this content. */
  ignores(compiled: Compiled): boolean;
  /** Compiles that entry again; `make`: the reload, if the entry has changed. */
  followEntry(make: () => Reload): Promise<void>;
  /** Another reload with the same trigger. */
  another(): Reload;
  /** The hooks for the config. */
  stepsFor(compiled: Compiled): ApplySteps;
  /** The config is in effect. */
  record(compiled: Compiled): void;
}

export class ReloadPath {
  readonly #gateway: Gateway;
  readonly #outcomes: Outcomes;

  constructor(gateway: Gateway, outcomes: Outcomes) {
    this.#gateway = gateway;
    this.#outcomes = outcomes;
  }

  /** The way of a change of the source, from its text on. */
  async fromSource(source: SourceReload): Promise<void> {
    const { reload, forced } = source;
    // Read and compile: parse, merge, resolve references, validate, plan, run the config's tests (compile/compile.ts).
    const compile = (): Promise<Compiled | null> => {
      reload.begin();
      return source.compile();
    };
    let compiled = await compile();
    // A refused config may have been read while it was written: read it again until it stays the same.
    for (let suspect = ''; compiled?.plan === null && compiled.digest !== suspect; ) {
      suspect = compiled.digest;
      if (!(await source.pause())) {
        reload.forget();
        return;
      }
      compiled = await compile();
    }
    // The source has not changed, but the references of the history entry that serves in its place may have.
    if (compiled === null) {
      await source.followEntry(() => reload);
      return;
    }
    if (!forced && source.unsettled()) {
      reload.forget();
      return;
    }
    source.note(compiled);
    // After a rollback, the entry serves until the source has other content that can take effect.
    if (source.ignores(compiled)) {
      if (forced) {
        this.#outcomes.see(reload, compiled);
        this.#outcomes.leave(reload);
      }
      await source.followEntry(() => source.another());
      return;
    }
    this.#outcomes.see(reload, compiled);
    if (await this.settle(reload, compiled, source.stepsFor(compiled))) source.record(compiled);
  }

  /** Check: refuses a config with errors, and leaves the current one if it means the same. Returns whether it applies. */
  async settle(reload: Reload, compiled: Compiled, steps: ApplySteps = {}): Promise<boolean> {
    const outcomes = this.#outcomes;
    if (compiled.plan === null) {
      outcomes.refuse(reload, refusalOf(compiled));
      return false;
    }
    try {
      if (outcomes.means(compiled)) {
        await steps.bound?.();
        outcomes.use(compiled);
        steps.active?.(this.#gateway.current?.generation ?? 0);
        outcomes.leave(reload);
      } else await this.apply(reload, compiled, steps);
      return true;
    } catch (error) {
      if (!(error instanceof OpenError || error instanceof RefusedError)) throw error;
      // A retry of the same config may succeed once the port is free: the digest must not block a SIGHUP.
      outcomes.refuse(reload, error instanceof OpenError ? refusalToOpen(error, compiled) : error.refusal);
      return false;
    }
  }

  /** Applies the plan and reports it. Throws an OpenError, or the error that `bound` throws. */
  async apply(reload: Reload, compiled: Compiled, { bound, active }: ApplySteps): Promise<void> {
    if (compiled.plan === null) return;
    const previous = this.#gateway.current?.plan ?? null;
    // Certificates: none gets worse than the one in effect (snapshot/served-certificates.ts).
    const plan = withServedCertificates(compiled.plan, previous, this.#gateway.clock.wall());
    let forgets: readonly ForgottenAdminState[] = [];
    await applyPlan(this.#gateway, plan, {
      bound: async () => {
        await bound?.();
        if (previous !== null) forgets = forgottenAdminStates(previous, plan, endpointViews(this.#gateway));
        reload.reach('bound');
      },
      active: (generation) => {
        reload.forgets = forgets;
        this.#outcomes.use(compiled);
        active?.(generation);
        this.#outcomes.applied(reload, generation);
      },
    });
    if (previous !== null) reload.changes = await changesBetween(previous, plan, this.#gateway.clock);
    this.#outcomes.close(reload);
  }
}

/** Makes a plan the current one. Throws if it can't be bound or opened; then nothing has changed. Runs one at a time. */
export async function applyPlan(gateway: Gateway, plan: Plan, steps: ApplySteps = {}): Promise<Snapshot> {
  const { clock, registry, metrics } = gateway;
  const context = gateway.bindContext();
  const { slices } = context;
  // Bind: take claims from the state registry, reuse unchanged objects, build the others (snapshot/bind.ts).
  const next = await bind(plan, context);
  try {
    // Names: look up the names that have no answer yet, for up to a second (snapshot/names.ts).
    await askFirst(next, registry, clock);
    // Open: the access log and new sockets, all or none (snapshot/listeners.ts). `bound` is the last step that can fail.
    const opened = await openAll(gateway.openings(plan), steps);
    // Commit: one assignment.
    const previous = gateway.commit(next);
    // Put the opened resources into use, and close sockets that the plan no longer names.
    opened.commit();
    // Tune: give kept state its new settings, and move connections to their new listeners.
    gateway.tune(previous, next, context);
    // Retire: the old snapshot ends with its last lease (snapshot/retirement.ts).
    if (previous !== null) gateway.retirement.retire(previous);
    steps.active?.(next.generation);
    // Migrate: move the leases that the new snapshot serves in the same way; the rest drains (snapshot/draining.ts).
    await gateway.retirement.handOver(next, slices);
    await slices.turn();
    await forgetSeries(metrics, gateway.snapshots, slices);
  } catch (error) {
    if (gateway.current !== next) next.retire(() => {});
    throw error;
  }
  return next;
}
