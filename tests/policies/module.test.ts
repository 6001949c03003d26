import { describe, expect, test } from 'vitest';
import { Fields } from '../../src/http/fields.ts';
import { CONTENT_LENGTH } from '../../src/http/known.ts';
import type { LocalReply } from '../../src/http/local-reply.ts';
import { ResponseHead } from '../../src/http/message.ts';
import { problemReply } from '../../src/http/local-reply.ts';
import { POLICY_FAILED } from '../../src/kit/errors.ts';
import { loadModule } from '../../src/kit/versioned-modules.ts';
import type { ModulePolicyPlan } from '../../src/plan/types/module.ts';
import { policyOf } from '../../src/policies/index.ts';
import type { BindScope, Hooks } from '../../src/policies/policy.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';

let modules = 0;
function planOf(text: string, config: Record<string, unknown> = {}): ModulePolicyPlan {
  const path = `/nowhere/policy-${++modules}.ts`;
  const { digest } = loadModule(path, () => text);
  return { type: 'module', module: path, digest, config, pools: [] };
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
    expect(await hooks.request!(exchange(), context)).toMatchObject({ status: 413, body: refusal.body });
  });

  test('must return hooks', () => {
    expect(() => boundIn(planOf('export default { bind() {} };'))).toThrow('bind must return an object of hooks');
  });

  test.each([
    ['async bind() { throw new Error("late"); }', 'bind must not return a promise'],
    ['bind: () => ({ request: 5 })', 'the hook request is no function'],
    ['bind: () => ({ timeout: "5s" })', 'the timeout of the hooks is no number'],
    ['bind(config, scope) { scope.deadlines.add({}); }', 'undefined'],
  ])('is refused at bind: %s', (text, problem) => {
    expect(() => boundIn(planOf(`export default { ${text} };`))).toThrow(problem);
  });

  test('has a scope of its own: to change or to freeze it changes nothing of the gateway', () => {
    const text = `export default { bind(config, scope) {
      scope.log.error = scope.clock.now = 5;
      for (const one of [scope, scope.log, scope.clock]) Object.freeze(one);
      return { done() { throw 1; } }; } };`;
    const { hooks, lines, clock } = boundIn(planOf(text));
    hooks.done!(exchange());
    expect([lines, clock.now()]).toEqual([[expect.objectContaining({ hook: 'done', problem: '1' })], clock.now()]);
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
    const scope = { route: 'a', upgrade: false, clock: new ManualClock(), claimed: () => null };
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

  test('of messages ends the exchange with its code', () => {
    const { hooks } = boundIn(planOf(THROWING));
    const x = exchange();
    x.response = new ResponseHead(200, 'OK', new Fields(), 0);
    const results: unknown[] = [hooks.forward!(x), hooks.response!(x)];
    expect(results).toEqual([POLICY_FAILED, POLICY_FAILED]);
  });

  test.each(['forward', 'response', 'done'] as const)(
    'of an async %s hook is logged, and not unhandled',
    async (name) => {
      const text = `export default { bind: () => ({ async ${name}() { throw new Error('late'); } }) };`;
      const { hooks, lines } = boundIn(planOf(text));
      const x = exchange();
      x.response = new ResponseHead(200, 'OK', new Fields(), 0);
      expect(hooks[name]!(x)).toBe(name === 'done' ? undefined : POLICY_FAILED);
      await new Promise(setImmediate);
      const problem = name === 'done' ? 'Error: late' : 'only a request hook may return a promise';
      expect(lines).toEqual([
        expect.objectContaining({ hook: name, problem: expect.stringContaining(problem) as string }),
      ]);
    },
  );

  test('of a gate that is a promise refuses', () => {
    const text = `export default { bind: () => ({ async allows() { throw new Error('late'); } }) };`;
    expect(boundIn(planOf(text)).hooks.allows!(exchange(), '192.0.2.1')).toBe(false);
  });

  test.each([
    ['x.response = null', 'Cannot set property response of'],
    ['x.fields = null', 'Cannot set property fields of'],
    [`x.method = 'GET / HTTP/1.1'`, 'Cannot set property method of'],
    [`x.authority = 'a\\r\\nb: c'`, 'Cannot set property authority of'],
    ['x.error = undefined', 'error is a text'],
    ['x.clientAddress = null', 'clientAddress is an IP address'],
    ['x.path = 5', 'path is a text'],
    ['x.rewritten = 5', 'rewritten is null or a list'],
    ['x.rewritten = [null]', 'rewritten is null or a list'],
    ['x.note(7, 8n)', 'the name of a note is a text'],
    [`x.note('a', 8n)`, 'a note is a text'],
    ['x.fields.addLine(5)', 'a line is a text'],
    ['x.fields.add(7, 8n)', 'is no field'],
    ['x.fields.remove(5)', 'the name of a field is a text'],
    ['Object.freeze(x).mine = 5', 'not extensible'],
    ['x.bodyLength = 8n', 'the length of the body'],
    ['Object.freeze(x); Object.freeze(x.fields); Object.freeze(x.response); x.path = null', 'path is a text'],
    ['throw { toString() { throw 1; } }', 'an error that cannot be shown'],
    ['throw new Proxy({}, { getPrototypeOf() { throw 1; } })', 'an error that cannot be shown'],
  ])('leaves the exchange sound: %s', (code, problem) => {
    const messages = ['forward', 'response', 'done'] as const;
    const names = code.startsWith('x.response') ? messages : (['request', ...messages] as const);
    const act = `(x) { ${code}; }`;
    const { hooks, lines, clock } = boundIn(
      planOf(`export default { bind: () => ({ request${act}, forward${act}, response${act}, done${act} }) };`),
    );
    const x = exchange();
    const { method, authority, fields, path, clientAddress, rewritten, notes } = x;
    const head = (x.response = new ResponseHead(200, 'OK', new Fields(), 0));
    for (const name of names) {
      const result = name === 'request' ? hooks.request!(x, NO_CONTEXT) : hooks[name]!(x);
      if (name !== 'done') expect(result).toMatchObject({ status: 500 });
      expect(x).toMatchObject({ method, authority, path, clientAddress, rewritten, notes });
      expect([x.fields === fields, x.response === head, typeof x.error]).toEqual([true, true, 'string']);
      expect([x, fields, head].some((one) => Object.isFrozen(one))).toBe(false);
      clock.advance(1000);
    }
    expect(lines.map((line) => line['hook'])).toEqual(names);
    for (const line of lines) expect(line['problem']).toContain(problem);
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

describe('what a hook writes', () => {
  /** The problem in the log after one hook with this code, which has `x`. */
  function problemOf(hook: 'request' | 'forward' | 'response', code: string): string {
    const { hooks, lines } = boundIn(planOf(`export default { bind: () => ({ ${hook}(x) { ${code} } }) };`));
    const x = exchange({ path: '/a', fields: [['Content-Length', '3']] });
    x.bodyLength = 3;
    x.response = new ResponseHead(200, 'OK', Fields.of([['Content-Length', '5']]), 5);
    const result: unknown = hook === 'request' ? hooks.request!(x, NO_CONTEXT) : hooks[hook]!(x);
    if (lines.length > 0) expect(result).toMatchObject({ status: 500 });
    return lines.length === 0 ? '' : String(lines[0]!['problem']).split('\n', 1)[0]!;
  }

  test.each([
    ['request', `x.fields.set('a', 'b\\r\\nc: d')`, 'TypeError: "a: b\\r\\nc: d" is no field'],
    ['request', `x.fields.set('a b', 'c')`, 'TypeError: "a b: c" is no field'],
    ['request', `x.fields.set('a', 'ü€')`, 'TypeError: "a: ü€" is no field'],
    [
      'forward',
      `x.fields.set('Transfer-Encoding', 'chunked')`,
      "TypeError: Transfer-Encoding is the gateway's own to write",
    ],
    [
      'response',
      `x.response.fields.add('content-length', '3')`,
      "TypeError: content-length is the gateway's own to write",
    ],
    ['forward', `x.path = '/a b'`, 'TypeError: the path is no path'],
    ['request', `x.path = '/a?b'`, 'TypeError: the path is no path'],
    ['request', `x.receivedPath = '/a b'`, 'TypeError: the received path is no path'],
    ['request', `x.receivedPath = ''; x.path = '/b'`, ''],
    ['request', `x.query = '?a#b'`, 'TypeError: the query is no query'],
    ['response', `x.response.status = 100`, 'TypeError: the status is none of a final response'],
    ['response', `x.response.reason = 'a\\n'`, 'TypeError: the reason is no text of one line'],
    ['response', `x.response.length = 1.5`, 'TypeError: the length of the body is no length'],
    ['response', `x.response.length = 7`, 'TypeError: the length changes, and no filter changes the body'],
    ['forward', `x.bodyLength = 7`, 'TypeError: the length changes, and no filter changes the body'],
    ['request', `x.bodyLength = 7`, 'TypeError: the length changes, and no filter changes the body'],
    ['response', `x.response.status = 304`, 'TypeError: a response with content cannot become a 304'],
    ['response', `return 7`, 'TypeError: the hook returns a body filter or nothing'],
    ['response', `return { data: 1, end: 2 }`, 'TypeError: the hook returns a body filter or nothing'],
    ['forward', `return { data() {} }`, 'TypeError: the hook returns a body filter or nothing'],
    ['request', `return true`, 'TypeError: it is no reply'],
    ['request', `return { status: 99 }`, 'TypeError: the status is none of a final response'],
    ['request', `return { status: 200, fields: [['a b', 'c']] }`, 'TypeError: "a b: c" is no field'],
    ['request', `return { status: 200, fields: [['a', 'b\\nc']] }`, 'TypeError: "a: b\\nc" is no field'],
    ['request', `return { status: 200, fields: [['Host', 'a']] }`, "TypeError: Host is the gateway's own to write"],
    ['request', `return { status: 200, fields: 'a: b' }`, 'TypeError: the fields are no list of names and values'],
    ['request', `return { status: 200, fields: [['a']] }`, 'TypeError: the fields are no list of names and values'],
    ['request', `return { status: 200, reason: 'a\\nb' }`, 'TypeError: the reason is no text of one line'],
    ['request', `return { status: 200, body: 7 }`, 'TypeError: the body is neither text nor bytes'],
    ['request', `return { status: 200, fields: [['a', 'b'], ['c', 'd']], body: new Uint8Array(2) }`, ''],
    ['request', `x.fields.set('a', 'é b'); x.path = '/b%20;c:'; x.query = '?a=/?'`, ''],
    ['response', `x.response.status = 418; x.response.reason = 'Tea'; x.response.fields.set('a', '')`, ''],
  ] as const)('in %s, by %s: %s', (hook, code, problem) => {
    expect(problemOf(hook, code)).toBe(problem);
  });

  test('as a reply is sent, whichever copy of prozy has made it', () => {
    const reply = (text: string): unknown => {
      const { hooks } = boundIn(
        planOf(`import { LocalReply } from 'prozy'; export default { bind: () => ({ request: () => (${text}) }) };`),
      );
      const { status, reason, fields, body } = hooks.request!(exchange(), NO_CONTEXT) as LocalReply;
      return [status, reason, fields.pairs, body];
    };
    const expected = [429, 'Too Many Requests', [['a', 'b']], '\xc3\xa9'];
    expect(reply(`new LocalReply(429, [['a', 'b']], 'é')`)).toEqual(expected);
    expect(reply(`{ status: 429, fields: [['a', 'b']], body: 'é' }`)).toEqual(expected);
    expect(reply(`{ status: 429, fields: [['a', 'b']], body: Buffer.from('é') }`)).toEqual(expected);
    expect(reply(`{ status: 429, reason: 'Slow Down' }`)).toEqual([429, 'Slow Down', [], '']);
  });

  test('as a length is the length that is sent', () => {
    const change = (code: string): { lines: string[]; seen: boolean } => {
      const { hooks } = boundIn(
        planOf(
          `export default { bind: () => ({ response({ response: r }) { ${code}; return { data() {}, end() {} }; } }) };`,
        ),
      );
      const x = exchange();
      const fields = Fields.of([['Content-Length', '5']]);
      x.response = new ResponseHead(200, 'OK', fields, 5);
      hooks.response!(x);
      return { lines: linesOf(fields), seen: fields.has(CONTENT_LENGTH) };
    };
    expect(change('r.length = 7')).toEqual({ lines: [], seen: false });
    expect(change('r.length = -1')).toEqual({ lines: [], seen: false });
    expect(change(`r.fields.remove('content-length')`)).toEqual({ lines: [], seen: false });
    expect(change('')).toMatchObject({ lines: ['Content-Length: 5'] });
    const { hooks } = boundIn(
      planOf('export default { bind: () => ({ forward(x) { x.bodyLength = 9; return { data() {}, end() {} }; } }) };'),
    );
    const x = exchange({ fields: [['Content-Length', '3']] });
    x.bodyLength = 3;
    hooks.forward!(x);
    expect(linesOf(x.fields)).toEqual(['Content-Length: 9']);
  });
});
