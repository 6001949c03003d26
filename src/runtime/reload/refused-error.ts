/** Says why a config without problems still can't take effect. Cold. */
import type { Problem } from '../../config/problem.ts';
import type { ReloadReason } from '../../observe/metrics.ts';
import type { Refusal } from './reload.ts';

export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(reason: ReloadReason, report: string, problems: readonly Problem[] = []) {
    super(report);
    this.name = 'RefusedError';
    this.refusal = { reason, problems, report };
  }
}
