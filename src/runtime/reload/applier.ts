/** Applies a compiled config or refuses it, and completes its reload. Cold; the only caller of `Gateway.apply`. */
import { configError, errorAt } from '../../config/problem.ts';
import { type ForgottenAdminState, forgottenAdminStates } from '../../plan/diff/forgotten.ts';
import type { ReloadReason } from '../../observe/metrics.ts';
import type { Compiled, Stage } from '../compile/compile.ts';
import type { Gateway } from '../gateway.ts';
import { endpointViews } from '../views/runtime-views.ts';
import type { ApplySteps } from '../snapshot/opening.ts';
import { OpenError } from '../snapshot/open-error.ts';
import type { Refusal, Reload } from './reload.ts';
import type { Reloads } from './reloads.ts';
import { RefusedError } from './refused-error.ts';
import { changesBetween } from './summarize-diff.ts';

/** The config in effect, as written. */
export type InEffect = Pick<Compiled, 'texts' | 'moduleFiles' | 'openSecrets' | 'problems'>;

export class Applier {
  readonly #gateway: Gateway;
  readonly #reloads: Reloads;
  /** The digest of the plan in effect. */
  #plan = '';
  #inEffect: InEffect = { texts: new Map(), moduleFiles: new Set(), openSecrets: [], problems: [] };

  constructor(gateway: Gateway, reloads: Reloads) {
    this.#gateway = gateway;
    this.#reloads = reloads;
  }

  get inEffect(): InEffect {
    return this.#inEffect;
  }

  /** From here on the reload is visible. */
  see(reload: Reload, compiled: Compiled): void {
    reload.digest = compiled.digest;
    reload.passed(compiled.passed);
    if (compiled.plan !== null) reload.warn(compiled);
    this.#reloads.keep(reload);
  }

  /** Whether the compiled plan means the same as the plan in effect. */
  means({ plan, planDigest }: Compiled): boolean {
    return plan !== null && planDigest === this.#plan;
  }

  /** Returns whether the config is in effect. */
  async settle(reload: Reload, compiled: Compiled, steps: ApplySteps = {}): Promise<boolean> {
    if (compiled.plan === null) {
      this.refuse(reload, refusalOf(compiled));
      return false;
    }
    try {
      if (this.means(compiled)) {
        await steps.bound?.();
        this.#inEffect = compiled;
        steps.active?.(this.#gateway.current?.generation ?? 0);
        this.leave(reload);
      } else await this.apply(reload, compiled, steps);
      return true;
    } catch (error) {
      if (!(error instanceof OpenError || error instanceof RefusedError)) throw error;
      // A retry of the same config may succeed once the port is free: the digest must not block a SIGHUP.
      this.refuse(reload, error instanceof OpenError ? refusalToOpen(error, compiled) : error.refusal);
      return false;
    }
  }

  /** Throws an OpenError, or the error that `bound` throws. */
  async apply(reload: Reload, compiled: Compiled, { bound, active }: ApplySteps): Promise<void> {
    const { plan, planDigest } = compiled;
    if (plan === null) return;
    const previous = this.#gateway.current?.plan ?? null;
    let forgets: readonly ForgottenAdminState[] = [];
    await this.#gateway.apply(plan, {
      bound: async () => {
        await bound?.();
        if (previous !== null) forgets = forgottenAdminStates(previous, plan, endpointViews(this.#gateway));
        reload.reach('bound');
      },
      active: (generation) => {
        this.#plan = planDigest;
        reload.forgets = forgets;
        this.#inEffect = compiled;
        active?.(generation);
        this.#reloads.succeed(reload, 'applied', generation);
      },
    });
    if (previous !== null) reload.changes = await changesBetween(previous, plan, this.#gateway.clock);
    this.#reloads.close(reload);
  }

  /** Ends the reload as unchanged: the plan in effect means the same. */
  leave(reload: Reload): void {
    this.#reloads.succeed(reload, 'unchanged', this.#gateway.current?.generation ?? 0);
    this.#reloads.close(reload);
  }

  refuse(reload: Reload, refusal: Refusal): void {
    reload.fail(refusal, this.#gateway.current?.generation ?? 0);
    this.#reloads.close(reload);
  }

  /** A config must not crash the gateway, even through a defect of the gateway: it is refused like any other. */
  defect(reload: Reload, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#reloads.keep(reload);
    this.refuse(reload, { reason: 'defect', problems: [], report: `a defect of prozy: ${text}` });
  }
}

/** The reason of a refusal, by the last stage that the config passed. */
const REASONS: Readonly<Record<Stage, ReloadReason>> = {
  parsed: 'validate',
  validated: 'plan',
  planned: 'tests',
  // A config that passes its tests is not refused.
  tested: 'defect',
};

export function refusalOf({ passed, problems, leftOut = 0, report }: Compiled): Refusal {
  const last = passed.at(-1);
  return { reason: last === undefined ? 'parse' : REASONS[last.stage], problems, leftOut, report };
}

export function refusalToOpen({ failures, message }: OpenError, { opened }: Compiled): Refusal {
  // The report omits the line itself: it may contain a secret beside the address.
  const { problems, report } = configError(
    failures.flatMap(({ pointer, message: told }) => {
      const place = opened.get(pointer);
      return place === undefined ? [] : [errorAt(place, place.pointer ?? pointer, told)];
    }),
    new Map(),
  );
  return { reason: 'bind', problems, report: problems.length < failures.length ? message : report };
}
