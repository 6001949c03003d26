import { describe, expect, test } from 'vitest';
import { LocalReply } from '../../src/http/local-reply.ts';
import { acl } from '../../src/policies/acl.ts';
import { exchange } from '../support/exchange.ts';
import { NO_CONTEXT, NO_SCOPE } from '../support/policy.ts';

function statusFor(client: string, rules: { default?: 'allow' | 'deny'; allow?: string[]; deny?: string[] }): number {
  const { default: otherwise = 'allow', allow = [], deny = [] } = rules;
  const { request } = acl.bind(
    { type: 'acl', acl: { name: 'a', default: otherwise, allow, deny, certificates: [] } },
    NO_SCOPE,
  );
  const verdict = request!(exchange({ client }), NO_CONTEXT);
  return verdict instanceof LocalReply ? verdict.status : 0;
}

describe('an ACL', () => {
  test('asks the deny list first', () => {
    const rules = { allow: ['10.0.0.0/8'], deny: ['10.0.0.66'], certificates: [] };
    expect([statusFor('10.0.0.66', rules), statusFor('10.0.0.65', rules)]).toEqual([403, 0]);
  });

  test('then an allow list that is not empty, whatever the default says', () => {
    const rules = { default: 'allow' as const, allow: ['10.0.0.0/8'] };
    expect([statusFor('10.9.9.9', rules), statusFor('11.0.0.1', rules)]).toEqual([0, 403]);
  });

  test('then the default', () => {
    expect([statusFor('192.0.2.1', { default: 'deny' }), statusFor('192.0.2.1', { default: 'allow' })]).toEqual([
      403, 0,
    ]);
  });

  test('knows IPv6 and takes the client that trusted proxies name', () => {
    const rules = { allow: ['2001:db8::/32', '::1'] };
    expect([statusFor('2001:db8::7', rules), statusFor('::1', rules), statusFor('2001:db9::', rules)]).toEqual([
      0, 0, 403,
    ]);
    const x = exchange({ client: '10.0.0.1' });
    x.clientAddress = '203.0.113.5';
    const hooks = acl.bind(
      { type: 'acl', acl: { name: 'a', default: 'allow', allow: [], deny: ['203.0.113.5'], certificates: [] } },
      NO_SCOPE,
    );
    expect(hooks.request!(x, NO_CONTEXT)).toMatchObject({ status: 403 });
  });

  test('lets no address of another family through by accident', () => {
    expect(statusFor('::ffff:10.0.0.1', { allow: ['10.0.0.0/8'] })).toBe(0);
    expect(statusFor('unix:', { allow: ['0.0.0.0/0', '::/0'] })).toBe(403);
  });
});
