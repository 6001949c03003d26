/** Records how each reload ends, and which config is in effect. Cold; reload-path.ts decides the outcome. */
import { configError, errorAt } from '../../config/problem.ts';
import type { ReloadReason } from '../../observe/metrics.ts';
import type { Compiled, Stage } from '../compile/compile.ts';
import type { Gateway } from '../gateway.ts';
import type { OpenError } from '../snapshot/open-error.ts';
import type { Refusal, Reload } from './reload.ts';
import type { Reloads } from './reloads.ts';

/** The config in effect, as written. */
export type InEffect = Pick<Compiled, 'texts' | 'moduleFiles' | 'openSecrets' | 'problems'>;

export class Outcomes {
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

  /** The config is in effect from here on. */
  use(compiled: Compiled): void {
    this.#plan = compiled.planDigest;
    this.#inEffect = compiled;
  }

  /** The reload is visible as active; it has not ended yet. */
  applied(reload: Reload, generation: number): void {
    this.#reloads.succeed(reload, 'applied', generation);
  }

  /** Ends a reload that has been applied. */
  close(reload: Reload): void {
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
