/** Plans of configs that are written in tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plan } from '../../src/plan/types.ts';
import { type Compiled, compileOnce } from '../../src/runtime/compile/compile.ts';

function compiled(config: object): Compiled {
  const folder = mkdtempSync(join(tmpdir(), 'prozy-plan-'));
  try {
    const file = join(folder, 'gateway.json');
    // Nothing is said of a listener in most tests, and each config needs one.
    const listeners = { web: { address: '127.0.0.1:0' } };
    writeFileSync(file, JSON.stringify({ version: 1, listeners, ...config }));
    return compileOnce(file, {});
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function planOf(config: object): Plan {
  const { plan, report } = compiled(config);
  if (plan === null) throw new Error(report);
  return plan;
}

/** What is wrong with it, as `place: message (hint)`. */
export function problemsOf(config: object): string[] {
  return compiled(config).problems.map(
    ({ pointer, message, hint }) => `${pointer}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}
