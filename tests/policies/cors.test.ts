/** The CORS protocol of the Fetch standard, hook by hook; the way through the gateway is in tests/e2e/cors.test.ts. */
import { describe, expect, test } from 'vitest';
import type { CorsPolicyConfig } from '../../src/config/schema.gen.ts';
import { Fields } from '../../src/http/fields.ts';
import { LocalReply } from '../../src/http/local-reply.ts';
import { ResponseHead } from '../../src/http/message.ts';
import type { CorsPolicyPlan } from '../../src/plan/types/cors.ts';
import { cors } from '../../src/policies/cors.ts';
import { exchange, linesOf } from '../support/exchange.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';
import { planOf } from '../plan/plan-of.ts';

const APP = 'https://app.example.com';

function planned(settings: Partial<Record<keyof CorsPolicyConfig, unknown>>): CorsPolicyPlan {
  const plan = planOf({
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { app: { endpoints: ['a.test:1'] } },
    routes: [{ name: 'a', match: {}, policies: [{ type: 'cors', origins: [APP], ...settings }], pool: 'app' }],
  });
  return plan.routes[0]!.policies[0] as CorsPolicyPlan;
}

interface Asked {
  readonly method?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly backend?: readonly (readonly [string, string])[];
}

/** What the request hook answers, and the response's fields after the response hook. */
function through(plan: CorsPolicyPlan, { method = 'GET', fields = {}, backend = [] }: Asked): [number, ...string[]] {
  const hooks = cors.bind(plan, NO_SCOPE);
  const x = exchange({ method, fields: Object.entries(fields) });
  const verdict = hooks.request!(x, NO_CONTEXT);
  const answered = verdict instanceof LocalReply;
  const received = Fields.of(answered ? verdict.fields.pairs : backend);
  x.response = new ResponseHead(answered ? verdict.status : 200, '', received, 0);
  hooks.response!(x);
  return [answered ? verdict.status : 0, ...linesOf(x.response.fields)];
}

const asks = (method: string, more: Readonly<Record<string, string>> = {}): Asked => ({
  method: 'OPTIONS',
  fields: { origin: APP, 'access-control-request-method': method, ...more },
});
const VARY = 'Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

describe('origins', () => {
  const plan = planned({
    origins: [APP, 'https://*.example.org:8443', { regex: '^https://pr-[0-9]+\\.test|http://b\\.test$' }],
  });
  test.each([APP, 'https://a.example.org:8443', 'https://b.a.example.org:8443', 'https://pr-12.test', 'http://b.test'])(
    '%s is allowed',
    (origin) => {
      expect(through(plan, { fields: { origin } })).toEqual([
        0,
        'Vary: Origin',
        `Access-Control-Allow-Origin: ${origin}`,
      ]);
    },
  );

  test.each([
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://app.example.com.evil.test',
    'https://evil.test/https://app.example.com',
    'https://example.org:8443',
    'https://.example.org:8443',
    'https://evil.test/.example.org:8443',
    'https://evilexample.org:8443',
    'https://a.example.org:84430',
    'https://pr-12.test.evil',
    'https://evil.http://b.test',
    'null',
    '*',
    '',
    `${APP}, ${APP}`,
  ])('%s is not: no field but Vary', (origin) => {
    expect(through(plan, { fields: { origin } })).toEqual([0, 'Vary: Origin']);
  });

  test('a request without an Origin gets Vary, so that no cache keeps its response for other sites', () => {
    expect(through(plan, {})).toEqual([0, 'Vary: Origin']);
  });

  test('null is allowed only if it is listed', () => {
    expect(through(planned({ origins: ['null'] }), { fields: { origin: 'null' } })).toContain(
      'Access-Control-Allow-Origin: null',
    );
  });

  test('* gives every request the same answer, without Vary', () => {
    const any = planned({ origins: ['*'] });
    for (const fields of [{}, { origin: APP }, { origin: 'null' }])
      expect(through(any, { fields })).toEqual([0, 'Access-Control-Allow-Origin: *']);
  });
});

describe('responses', () => {
  test('carry credentials and exposed fields; the fields of the backend are gone', () => {
    const plan = planned({ credentials: true, expose_headers: ['ETag', 'X-Id'], max_age: '10m' });
    const backend = [
      ['Access-Control-Allow-Origin', '*'],
      ['access-control-allow-methods', 'DELETE'],
      ['X', 'y'],
      ['Vary', 'Accept'],
      ['ACCESS-CONTROL-MAX-AGE', '9'],
    ] as const;
    expect(through(plan, { fields: { origin: APP }, backend })).toEqual([
      0,
      'X: y',
      'Vary: Accept',
      'Vary: Origin',
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Expose-Headers: etag, x-id',
    ]);
    expect(through(plan, { fields: { origin: 'https://evil.test' }, backend })).toEqual([
      0,
      'X: y',
      'Vary: Accept',
      'Vary: Origin',
    ]);
  });

  test.each(['*', 'Origin', 'accept, ORIGIN ', 'origin,accept'])('Vary: %s covers it already', (value) => {
    expect(through(planned({}), { backend: [['Vary', value]] })).toEqual([0, `Vary: ${value}`]);
  });

  test('Vary: X-Origin does not', () => {
    expect(through(planned({}), { backend: [['Vary', 'X-Origin']] })).toEqual([0, 'Vary: X-Origin', 'Vary: Origin']);
  });
});

describe('preflights', () => {
  test('are answered with what is allowed', () => {
    const plan = planned({ methods: ['get', 'PUT'], headers: ['Content-Type'], credentials: true, max_age: '10m' });
    expect(through(plan, asks('PUT', { 'access-control-request-headers': 'content-type' }))).toEqual([
      204,
      VARY,
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Allow-Methods: GET, PUT',
      'Access-Control-Allow-Headers: content-type',
      'Access-Control-Max-Age: 600',
    ]);
  });

  test('have the methods that forms may use by default, and leave the age to the browser', () => {
    expect(through(planned({}), asks('POST'))).toEqual([
      204,
      VARY,
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Allow-Methods: GET, HEAD, POST',
    ]);
  });

  test('of other origins get no field that allows anything', () => {
    expect(through(planned({ methods: ['*'] }), asks('PUT', { origin: 'https://evil.test' }))).toEqual([204, VARY]);
  });

  test('with * name what was asked for, which holds for credentials and Authorization too', () => {
    const plan = planned({ methods: ['*'], headers: ['*'], credentials: true });
    expect(through(plan, asks('PURGE', { 'access-control-request-headers': 'authorization, x-a' }))).toEqual([
      204,
      VARY,
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Allow-Credentials: true',
      'Access-Control-Allow-Methods: PURGE',
      'Access-Control-Allow-Headers: authorization, x-a',
    ]);
    expect(through(plan, asks('A B', { 'access-control-request-headers': 'x a' }))).toEqual([
      204,
      VARY,
      `Access-Control-Allow-Origin: ${APP}`,
      'Access-Control-Allow-Credentials: true',
    ]);
  });

  test('for a private network are allowed only if the policy says so', () => {
    const more = { 'access-control-request-private-network': 'true' };
    const allowed = through(planned({ private_network: true }), asks('GET', more));
    expect(allowed).toContain('Access-Control-Allow-Private-Network: true');
    expect(allowed).toContain(`${VARY}, Access-Control-Request-Private-Network`);
    expect(through(planned({}), asks('GET', more)).join()).not.toContain('Private-Network');
    expect(through(planned({ private_network: true }), asks('GET')).join()).not.toContain('Allow-Private-Network');
  });

  test('are OPTIONS with Origin and Access-Control-Request-Method; other OPTIONS pass', () => {
    const plan = planned({});
    expect(through(plan, { method: 'OPTIONS', fields: { origin: APP } })[0]).toBe(0);
    expect(through(plan, { method: 'OPTIONS', fields: { 'access-control-request-method': 'GET' } })[0]).toBe(0);
    expect(through(plan, { method: 'POST', fields: asks('GET').fields! })[0]).toBe(0);
  });
});

test('explain says what becomes of the origin', () => {
  const plan = planned({});
  const said = (asked: Asked): string =>
    cors.why!(plan, exchange({ method: asked.method ?? 'GET', fields: Object.entries(asked.fields ?? {}) }));
  expect([
    said({}),
    said({ fields: { origin: APP } }),
    said(asks('GET')),
    said({ fields: { origin: 'https://evil.test' } }),
  ]).toEqual([
    'the request has no Origin',
    `${APP} is allowed`,
    `answers the preflight: ${APP} is allowed`,
    'https://evil.test is not allowed, so browsers keep the response from it',
  ]);
});
