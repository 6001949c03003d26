/** The plan in effect as redacted JSON, in pieces. Cold; for the admin page `/plan`. */
import { randomBytes } from 'node:crypto';
import { withoutTexts } from '../../plan/plan-delta.ts';
import { serializePlan } from '../../plan/serialized-plan.ts';
import { redactedJson, redactor } from '../../plan/redact.ts';
import type { Plan } from '../../plan/types.ts';

/** The version of the format, for its readers. */
export const SHOWN_PLAN = 4;

/** Differs for each process. */
const SALT = randomBytes(16).toString('base64url');

/** `about`: fields added beside the plan. Each piece takes little work. */
export function* shownPlan(plan: Plan, about: Readonly<Record<string, unknown>>): Generator<string> {
  const seal = redactor(SALT);
  const { rest: all, certificates, pools, routes } = serializePlan(plan);
  // The code of modules is not shown.
  const rest = { ...all, modules: all.modules.map(({ path, digest }) => ({ path, digest, files: [] })) };
  yield `${JSON.stringify({ ...about, salt: SALT }).slice(0, -1)},"plan":{"rest":${redactedJson(rest, seal)}`;
  yield* list('certificates', certificates.map(withoutTexts), seal);
  yield* list('pools', pools, seal);
  yield* list('routes', routes, seal);
  yield '}}\n';
}

function* list(name: string, pieces: readonly unknown[], seal: (text: string) => string): Generator<string> {
  yield `,"${name}":[`;
  for (const [i, piece] of pieces.entries()) yield `${i === 0 ? '' : ',\n'}${redactedJson(piece, seal)}`;
  yield ']';
}
