/** Compares a config file with another, with a running gateway, or with nothing. Cold; called by commands/plan.ts. */
import { ConfigError, type Problem } from '../config/problem.ts';
import { diffPlans } from '../plan/diff.ts';
import type { Change, PlanDiff } from '../plan/diff/changes.ts';
import { type Forecast, forecast } from '../plan/diff/forecast.ts';
import { type Touches, touchesOf } from '../plan/diff/live.ts';
import type { Terms } from '../plan/diff/reading.ts';
import { redactor } from '../plan/redact.ts';
import { askPlan } from './ask-plan.ts';
import { planFile, type PlannedFile } from './plan-file.ts';

/** The report of `prozy plan`. */
export interface PlanReport extends Omit<PlanDiff, 'changes'> {
  /** `touches` counts the affected traffic; null if it is unknown or the change can't affect any. */
  readonly changes: readonly (Change & { readonly touches: Touches | null })[];
  /** The expected effect on active traffic; null without a running gateway. */
  readonly live: Forecast | null;
  readonly file: string;
  /** A file or an admin listener; null for nothing. */
  readonly against: string | null;
  /** The running gateway's generation; null without one. */
  readonly generation: number | null;
  /** Warnings about the new config. */
  readonly warnings: readonly Problem[];
  /** Remarks about the comparison. */
  readonly notes: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const same = (text: string): string => text;

export function discreet(...files: readonly Pick<PlannedFile, 'secrets'>[]): Terms['discreet'] {
  const secrets = files.flatMap((file) => file.secrets);
  return (text) => !secrets.some((secret) => text.includes(secret));
}

/** Returns an error text on failure. */
export function compareFile(file: string, against: string | null, env: Environment): PlanReport | string {
  const after = planFile(file, env);
  const before = against === null ? null : planFile(against, env);
  const wrong = [before, after].filter((one) => one instanceof ConfigError);
  if (after instanceof ConfigError || before instanceof ConfigError)
    return wrong.map(({ report }) => report).join('\n\n');
  const shown = before === null ? discreet(after) : discreet(before, after);
  const folders = [before?.folder ?? '', after.folder] as const;
  const diff = diffPlans(before?.plan ?? null, after.plan, { folders, seal: same, discreet: shown });
  const changes = diff.changes.map((change) => ({ ...change, touches: null }));
  const { warnings } = after;
  return { file, against, generation: null, warnings, notes: [], live: null, ...diff, changes };
}

/** Returns an error text on failure; '' if the error has already been printed. */
export async function compareGateway(file: string, admin: string, env: Environment): Promise<PlanReport | string> {
  const after = planFile(file, env);
  if (after instanceof ConfigError) return after.report;
  const running = await askPlan(admin, '/plan');
  if (typeof running === 'string') return running;
  const terms = {
    folders: [running.folder, after.folder] as const,
    seal: redactor(running.salt),
    discreet: discreet(after),
  };
  const before = running.plan;
  const diff = diffPlans(before, after.plan, terms);
  const notes = after.refers
    ? [
        'The file has references: they are read here, with this environment and these files, which may not be the gateway’s.',
      ]
    : [];
  const { live: numbers } = running;
  const touches = (change: Change): Touches | null => (numbers === null ? null : touchesOf(change, before, numbers));
  const changes = diff.changes.map((change) => ({ ...change, touches: touches(change) }));
  const live = numbers === null ? null : forecast(before, after.plan, diff, numbers);
  const { generation } = running;
  return { file, against: admin, generation, warnings: after.warnings, notes, live, ...diff, changes };
}
