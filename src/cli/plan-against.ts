/** Compares a config file with another, with a running gateway, or with nothing. Cold; called by commands/plan.ts. */
import { ConfigError } from '../config/problem.ts';
import { diffPlans } from '../plan/diff.ts';
import type { Change, PlanDiff } from '../plan/diff/changes.ts';
import { type Forecast, forecast } from '../plan/diff/forecast.ts';
import { type Live, type Touches, touchesOf } from '../plan/diff/live.ts';
import type { Terms } from '../plan/diff/reading.ts';
import { Unwrapping, type PlanParcel } from '../plan/parcel.ts';
import { sealer } from '../plan/seal.ts';
import { ask } from './ask.ts';
import { planFile, type PlannedFile } from './plan-file.ts';

/** What `prozy plan` tells. */
export interface PlanReport extends Omit<PlanDiff, 'changes'> {
  /** `touches`: how much is under way there; null: that is not known, or there is nothing that could be. */
  readonly changes: readonly (Change & { readonly touches: Touches | null })[];
  /** What would become of what is under way; null: there is no running gateway. */
  readonly live: Forecast | null;
  readonly file: string;
  /** A file or an admin listener; null: nothing. */
  readonly against: string | null;
  /** Of the running gateway; null: there is none. */
  readonly generation: number | null;
  /** What should be known beside it. */
  readonly notes: readonly string[];
}

type Environment = Readonly<Record<string, string | undefined>>;

const same = (text: string): string => text;

function discreet(...files: readonly PlannedFile[]): Terms['discreet'] {
  const secrets = files.flatMap((file) => file.secrets);
  return (text) => !secrets.some((secret) => text.includes(secret));
}

/** A text: what is wrong. */
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
  return { file, against, generation: null, notes: [], live: null, ...diff, changes };
}

/** Of the form of that page. */
const VERSION = 1;

/** What the admin page `/plan` says. */
interface RunningPlan {
  readonly version: number;
  readonly generation: number;
  readonly folder: string;
  readonly salt: string;
  readonly live: Live;
  readonly plan: PlanParcel;
}

/** A text: what is wrong; '' if that has been said. */
export async function compareGateway(file: string, admin: string, env: Environment): Promise<PlanReport | string> {
  const after = planFile(file, env);
  if (after instanceof ConfigError) return after.report;
  const answer = await ask(admin, '/plan');
  if (answer === null) return '';
  if (answer.status !== 200) return `${admin} does not tell its plan (${answer.status})`;
  // The admin page's own form, which tests hold together.
  const running = answer.body as RunningPlan;
  if (running.version !== VERSION) return `${admin} is a gateway of another version, whose plan cannot be compared`;
  const unwrapping = new Unwrapping(running.plan.rest);
  unwrapping.add(running.plan.routes);
  const terms = {
    folders: [running.folder, after.folder] as const,
    seal: sealer(running.salt),
    discreet: discreet(after),
  };
  const before = unwrapping.plan();
  const diff = diffPlans(before, after.plan, terms);
  const notes = after.refers
    ? [
        'The file has references: they are read here, with this environment and these files, which may not be the gateway’s.',
      ]
    : [];
  const changes = diff.changes.map((change) => ({ ...change, touches: touchesOf(change, before, running.live) }));
  const live = forecast(before, after.plan, diff, running.live);
  return { file, against: admin, generation: running.generation, notes, live, ...diff, changes };
}
