/** Makes what was compiled current, or refuses it, and leads its reload to its end. Cold; the only caller of `Gateway.apply`. */
import { configError, errorAt } from '../../config/problem.ts';
import type { ReloadReason } from '../../observe/metrics.ts';
import type { Compiled, Stage } from '../compile/compile.ts';
import type { Gateway } from '../gateway.ts';
import { OpenError } from '../snapshot/open-error.ts';
import type { Refusal, Reload } from './reload.ts';
import type { Reloads } from './reloads.ts';
import { RefusedError } from './refused-error.ts';
import { changesBetween } from './summarize-diff.ts';

/** What whoever settles a reload does on the way. */
export interface SettleSteps {
  /** The last thing that may refuse it. */
  readonly seal?: () => Promise<void>;
  /** What it says is in effect from this very moment. */
  readonly active?: () => void;
}

/** What is in effect, as it is written. */
export type InEffect = Pick<Compiled, 'texts' | 'openSecrets' | 'problems'>;

export class Applier {
  readonly #gateway: Gateway;
  readonly #reloads: Reloads;
  /** Of the plan in effect. */
  #plan = '';
  #inEffect: InEffect = { texts: new Map(), openSecrets: [], problems: [] };

  constructor(gateway: Gateway, reloads: Reloads) {
    this.#gateway = gateway;
    this.#reloads = reloads;
  }

  get inEffect(): InEffect {
    return this.#inEffect;
  }

  /** From here on the reload is seen. */
  see(reload: Reload, compiled: Compiled): void {
    reload.digest = compiled.digest;
    reload.passed(compiled.passed);
    if (compiled.plan !== null) reload.warn(compiled);
    this.#reloads.keep(reload);
  }

  /** Does it mean what is in effect? */
  means({ plan, planDigest }: Compiled): boolean {
    return plan !== null && planDigest === this.#plan;
  }

  /** Answers whether it is in effect. */
  async settle(reload: Reload, compiled: Compiled, steps: SettleSteps = {}): Promise<boolean> {
    if (compiled.plan === null) {
      this.refuse(reload, refusalOf(compiled));
      return false;
    }
    try {
      if (this.means(compiled)) {
        await steps.seal?.();
        this.#inEffect = compiled;
        steps.active?.();
        this.leave(reload);
      } else await this.apply(reload, compiled, steps);
      return true;
    } catch (error) {
      if (!(error instanceof OpenError || error instanceof RefusedError)) throw error;
      // Trying the same again may succeed when the port is free: the digest must not stand in the way of a SIGHUP.
      this.refuse(reload, error instanceof OpenError ? refusalToOpen(error, compiled) : error.refusal);
      return false;
    }
  }

  /** Throws an OpenError, or what `seal` throws. */
  async apply(reload: Reload, compiled: Compiled, { seal, active }: SettleSteps): Promise<void> {
    const { plan, planDigest } = compiled;
    if (plan === null) return;
    const previous = this.#gateway.current?.plan ?? null;
    await this.#gateway.apply(plan, {
      bound: async () => {
        await seal?.();
        reload.reach('bound');
      },
      active: (generation) => {
        this.#plan = planDigest;
        this.#inEffect = compiled;
        active?.();
        this.#reloads.succeed(reload, 'applied', generation);
      },
    });
    if (previous !== null) reload.changes = await changesBetween(previous, plan, this.#gateway.clock);
    this.#reloads.close(reload);
  }

  /** What is in effect means the same. */
  leave(reload: Reload): void {
    this.#reloads.succeed(reload, 'unchanged', this.#gateway.current?.generation ?? 0);
    this.#reloads.close(reload);
  }

  refuse(reload: Reload, refusal: Refusal): void {
    reload.fail(refusal, this.#gateway.current?.generation ?? 0);
    this.#reloads.close(reload);
  }

  /** A config must not end the gateway, not even by a defect of ours: it is refused like any other. */
  defect(reload: Reload, error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#reloads.keep(reload);
    this.refuse(reload, { reason: 'defect', problems: [], report: `a defect of prozy: ${text}` });
  }
}

/** By what a config is refused that has passed these stages. */
const REASONS: Readonly<Record<Stage, ReloadReason>> = {
  parsed: 'validate',
  validated: 'plan',
  planned: 'tests',
  // Whatever has passed its tests is not refused.
  tested: 'defect',
};

export function refusalOf({ passed, problems, leftOut = 0, report }: Compiled): Refusal {
  const last = passed.at(-1);
  return { reason: last === undefined ? 'parse' : REASONS[last.stage], problems, leftOut, report };
}

export function refusalToOpen({ failures, message }: OpenError, { opened }: Compiled): Refusal {
  // The line itself is not shown: beside the address there may be a secret in it.
  const { problems, report } = configError(
    failures.flatMap(({ pointer, message: told }) => {
      const place = opened.get(pointer);
      return place === undefined ? [] : [errorAt(place, pointer, told)];
    }),
    new Map(),
  );
  return { reason: 'bind', problems, report: problems.length < failures.length ? message : report };
}
