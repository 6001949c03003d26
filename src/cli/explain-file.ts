/** Explains a request against a file. It need not pass its own tests: why they fail is what one may want to know. Cold. */
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { type ConfigTexts, Sources } from '../config/sources.ts';
import { type Explanation, explain, type Unclear } from '../explain/explanation.ts';
import { plannedSubject } from '../explain/planned.ts';
import type { AskedRequest } from '../explain/request.ts';
import { planGateway } from '../plan/plan.ts';
import { PlanScope } from '../plan/scope.ts';

/** `file`: absolute path. `given`: what its files said once. A ConfigError says what is wrong with it. */
export async function explainFile(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  asked: AskedRequest,
  listener: string | null,
  all: boolean,
  given: ConfigTexts | null = null,
): Promise<Explanation | Unclear | ConfigError> {
  try {
    const loaded = loadConfig({ file, env, sources: new Sources(given?.texts, given?.found) });
    const told = await explain(plannedSubject(planGateway(loaded)), asked, listener, all);
    const scope = new PlanScope(loaded);
    return discreet(told, (text) => scope.discreet(text));
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** A copy of plain data whose every text has gone through `text`. */
function discreet<T>(value: T, text: (value: string) => string): T {
  const copy = (one: unknown): unknown => {
    if (typeof one === 'string') return text(one);
    if (Array.isArray(one)) return one.map(copy);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, copy(inner)]));
  };
  // The same keys and kinds of values as before.
  return copy(value) as T;
}
