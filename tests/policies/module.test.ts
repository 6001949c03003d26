import { describe, expect, test } from 'vitest';
import { problemReply } from '../../src/http/local-reply.ts';
import { loadModule } from '../../src/kit/versioned-modules.ts';
import type { ModulePolicyPlan } from '../../src/plan/types/module.ts';
import { policyOf } from '../../src/policies/index.ts';
import type { BindScope, Hooks } from '../../src/policies/policy.ts';
import { exchange } from '../support/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';

let modules = 0;
function planOf(text: string, config: Record<string, unknown> = {}): ModulePolicyPlan {
  const path = `/nowhere/policy-${++modules}.ts`;
  const { digest } = loadModule(path, () => text);
  return { type: 'module', module: path, digest, config };
}
/** A policy whose hooks throw. */
const THROWING = `
  const fail = (what: string) => { throw new Error(what); };
  export default { bind: () => ({
    request: () => fail('r'), forward: () => fail('f'), response: () => fail('p'), done: () => fail('d'),
    allows: () => fail('a'),
  }) };`;

function boundIn(plan: ModulePolicyPlan): { hooks: Hooks; lines: Record<string, unknown>[]; clock: ManualClock } {
  const clock = new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const error = (event: string, fields: object = {}): number => lines.push({ event, ...fields });
  const scope: BindScope = { ...NO_SCOPE, clock, log: { info() {}, warn() {}, error } };
  return { hooks: policyOf(plan).bind(plan, scope), lines, clock };
}

describe('a module', () => {
  test('is bound with its settings and scope, and has only the hooks that it returns', () => {
    const text = `export default { bind: ({ name }, { route }) => ({
      request(x) { x.fields.set('x-by', this.by); return undefined; }, by: name + '/' + route }) };`;
    const { hooks } = boundIn(planOf(text, { name: 'n' }));
    expect(Object.keys(hooks)).toEqual(['request']);
    const x = exchange();
    expect(hooks.request!(x, NO_CONTEXT)).toBeUndefined();
    expect(x.fields.get('x-by')).toBe('n/a');
  });

  test('gets the context of a request', async () => {
    const { hooks } = boundIn(planOf('export default { bind: () => ({ request: (x, c) => c.bufferBody(7) }) };'));
    const refusal = problemReply(413);
    const context = {
      ...NO_CONTEXT,
      bufferBody: (limit: number) => Promise.resolve(limit === 7 ? refusal : undefined),
    };
    expect(await hooks.request!(exchange(), context)).toBe(refusal);
  });

  test('must return hooks', () => {
    expect(() => boundIn(planOf('export default { bind() {} };'))).toThrow('bind must return an object of hooks');
  });

  test('that this process has not loaded is an error at bind, not before', () => {
    const plan = { ...planOf(''), digest: 'another' };
    expect(Object.keys(policyOf(plan))).toEqual(['bind']);
    expect(() => policyOf(plan).bind(plan, NO_SCOPE)).toThrow('is not loaded');
  });

  test('explains itself if it can, and an error there is an explanation', () => {
    const can = planOf(`export default { bind: () => ({}), words: 'it is', why(c, x) { return this.words + x.path; },
      guards: () => true, preview: () => { throw new Error('oh'); } };`);
    const policy = policyOf(can);
    expect([policy.why!(can, exchange({ path: '/so' })), policy.guards!(can)]).toEqual(['it is/so', true]);
    const scope = { route: 'a', upgrade: false, clock: new ManualClock(), cache: () => null };
    expect(policy.preview!(can, exchange(), scope)).toMatchObject({
      verdict: 'asked',
      why: expect.stringContaining('its preview failed: Error: oh') as string,
    });
    const fails = planOf(`export default { bind: () => ({}), why() { throw 1; }, guards() { throw 1; } };`);
    expect([policyOf(fails).why!(fails, exchange()), policyOf(fails).guards!(fails)]).toEqual([
      'its explanation failed: 1',
      false,
    ]);
    const cannot = planOf('export default { bind: () => ({}) };');
    expect(Object.keys(policyOf(cannot))).toEqual(['bind']);
  });
});

describe('an error in a hook', () => {
  test('of requests is a 500 with its code', async () => {
    const { hooks } = boundIn(planOf(THROWING));
    const x = exchange();
    expect([hooks.request!(x, NO_CONTEXT), x.error]).toEqual([
      expect.objectContaining({ status: 500 }),
      'policy_failed',
    ]);
    const late = boundIn(planOf(`export default { bind: () => ({ request: async () => { throw 1; } }) };`)).hooks;
    const y = exchange();
    expect([await late.request!(y, NO_CONTEXT), y.error]).toEqual([
      expect.objectContaining({ status: 500 }),
      'policy_failed',
    ]);
  });

  test('of a gate refuses', () => {
    const { hooks } = boundIn(planOf(THROWING));
    expect(hooks.allows!(exchange(), '192.0.2.1')).toBe(false);
  });

  test('is logged once a second, with the number of those in between', () => {
    const { hooks, lines, clock } = boundIn(planOf(THROWING));
    for (let i = 0; i < 3; i++) hooks.done!(exchange());
    clock.advance(999);
    hooks.done!(exchange());
    expect(lines).toHaveLength(1);
    clock.advance(1);
    hooks.done!(exchange());
    expect(lines).toEqual([
      {
        event: 'a policy failed',
        module: expect.stringContaining('policy-') as string,
        route: 'a',
        hook: 'done',
        problem: expect.stringContaining('Error: d') as string,
      },
      expect.objectContaining({ hook: 'done', untold: 3 }),
    ]);
  });
});
