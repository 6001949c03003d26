/** The pools that policies send requests to: what the plan, a diff, a forecast and explain know of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { explanationText } from '../../src/cli/explanation-text.ts';
import { explain, type Explanation } from '../../src/explain/explanation.ts';
import { plannedSubject } from '../../src/explain/planned.ts';
import { diffPlans } from '../../src/plan/diff.ts';
import { forecast } from '../../src/plan/diff/forecast.ts';
import { type LiveNumbers, touchesOf } from '../../src/plan/diff/live.ts';
import { planOf, problemsOf } from './plan-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'prozy-policy-pools-'));
afterAll(() => rmSync(folder, { recursive: true }));
const MODULE = join(folder, 'ask.ts');
writeFileSync(
  MODULE,
  `export default {
     bind: (_, scope) => {
       const auth = scope.pool('auth');
       return { request: async (x, context) => void (await context.send(auth, { path: '/' })) };
     },
     why: () => 'it asks',
   };
   export const schema = {};`,
);

const ask = (...pools: string[]): object => ({ type: 'module', module: MODULE, pools });

function config(more: { listener?: object[]; route?: object[]; pools?: object } = {}): object {
  return {
    listeners: { web: { address: '127.0.0.1:8080', policies: more.listener ?? [] } },
    pools: {
      app: { endpoints: ['127.0.0.1:1'] },
      auth: { endpoints: ['127.0.0.1:2'], fallback: { pool: 'spare' } },
      spare: { endpoints: ['127.0.0.1:3'] },
      ...more.pools,
    },
    routes: [{ name: 'all', match: {}, pool: 'app', policies: more.route ?? [] }],
  };
}

describe('a pool that a policy names', () => {
  test('must exist', () => {
    expect(problemsOf(config({ listener: [ask('app', 'ath')], route: [ask('auht')] }))).toEqual([
      '/listeners/web/policies/0/pools/1: there is no pool ath (did you mean auth?)',
      '/routes/0/policies/0/pools/0: there is no pool auht (did you mean auth?)',
    ]);
  });

  test('is named once', () => {
    expect(problemsOf(config({ route: [ask('auth', 'auth')] }))).toHaveLength(1);
  });

  test('is a setting of the policy in a diff', () => {
    const [before, after] = [planOf(config({ route: [ask('auth')] })), planOf(config({ route: [ask('auth', 'app')] }))];
    expect(diffPlans(before, after).changes).toMatchObject([
      { kind: 'route', settings: [{ setting: 'policies.module.pools', before: ['auth'], after: ['auth', 'app'] }] },
    ]);
  });
});

const lease = { kind: 'exchange', listener: 'web', route: 'all', endpoint: '', client: null, count: 1 } as const;
const LIVE: LiveNumbers = { connections: {}, endpoints: [], leases: [lease], older: 0 };

test.each(['route', 'listener'])('a change of a pool touches the exchanges of a %s that may ask it', (place) => {
  const before = planOf(config({ [place]: [ask('auth')] }));
  for (const [name, endpoints] of [
    ['auth', ['127.0.0.1:4']],
    ['spare', ['127.0.0.1:4']],
  ] as const) {
    const fallback = name === 'auth' ? { fallback: { pool: 'spare' } } : {};
    const after = planOf(config({ [place]: [ask('auth')], pools: { [name]: { endpoints, ...fallback } } }));
    const diff = diffPlans(before, after);
    const touches = touchesOf({ ...diff.changes[0]!, kind: 'pool', name }, before, LIVE);
    expect([name, touches?.exchanges]).toEqual([name, 1]);
    expect(forecast(before, after, diff, LIVE).stays).toMatchObject([{ reason: 'policies_changed', exchanges: 1 }]);
  }
  const other = planOf({ ...config({ [place]: [ask('auth')] }), acls: { unused: {} } });
  expect(forecast(before, other, diffPlans(before, other), LIVE)).toMatchObject({ goes_over: 1, stays: [] });
});

test('explain says which pools a policy may ask, and sends nothing', async () => {
  const subject = plannedSubject(planOf(config({ listener: [ask('auth')] })));
  const asked = { method: 'GET', url: 'http://a:8080/', client: '192.0.2.1', headers: [] };
  const told = (await explain(subject, asked, null, false)) as Explanation;
  expect(told.policies).toEqual([
    { type: 'module', verdict: 'unasked', why: 'it waits for an answer', edits: [], pools: ['auth'] },
  ]);
  expect(explanationText(told)).toContain('not evaluated  it waits for an answer; may ask pool auth');
});
