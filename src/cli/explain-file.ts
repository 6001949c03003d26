/** Explains a request against a file. The file may fail its own tests, because the user may want to know why. Cold. */
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { type ConfigTexts, ConfigReader } from '../config/config-reader.ts';
import { type Explanation, explain, type Unclear } from '../explain/explanation.ts';
import { plannedSubject } from '../explain/planned.ts';
import type { AskedRequest } from '../explain/request.ts';
import { systemClock } from '../kit/clock.ts';
import { planGateway } from '../plan/plan.ts';
import { PlanScope } from '../plan/scope.ts';

/** `file` is an absolute path. `given`: earlier contents of its files. A ConfigError: the config is invalid. */
export async function explainFile(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  asked: AskedRequest,
  listener: string | null,
  all: boolean,
  given: ConfigTexts | null = null,
): Promise<Explanation | Unclear | ConfigError> {
  try {
    const loaded = loadConfig({
      file,
      env,
      reader: new ConfigReader(given?.texts, given?.found),
      now: systemClock.wall(),
    });
    const told = await explain(plannedSubject(planGateway(loaded)), asked, listener, all);
    const scope = new PlanScope(loaded);
    return discreet(told, (text) => scope.discreet(text));
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Copies plain data and passes every string through `text`. */
function discreet<T>(value: T, text: (value: string) => string): T {
  const copy = (one: unknown): unknown => {
    if (typeof one === 'string') return text(one);
    if (Array.isArray(one)) return one.map(copy);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, copy(inner)]));
  };
  // The copy has the same keys and kinds of values.
  return copy(value) as T;
}
