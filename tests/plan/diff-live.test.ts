/** How much of a gateway's running work a change concerns. */
import { describe, expect, test } from 'vitest';
import { diffPlans } from '../../src/plan/diff.ts';
import { type LiveNumbers, touchesOf } from '../../src/plan/diff/live.ts';
import { planOf } from './plan-of.ts';

describe('a change of an ACL', () => {
  const config = (allow: string) => ({
    acls: { office: { allow: [allow] } },
    listeners: {
      door: { address: '127.0.0.1:0', acl: 'office' },
      hall: { address: '127.0.0.1:0', policies: [{ type: 'acl', acl: 'office' }] },
      free: { address: '127.0.0.1:0' },
    },
    routes: [
      { name: 'inner', match: { path: '/inner' }, respond: {}, policies: [{ type: 'acl', acl: 'office' }] },
      { name: 'rest', match: {}, respond: {} },
    ],
  });
  const lease = (listener: string, route: string) => ({
    kind: 'exchange' as const,
    listener,
    route,
    endpoint: '',
    client: null,
    count: 1,
  });

  test('concerns what runs at listeners and routes that have it, and the connections that it admits', () => {
    const before = planOf(config('10.0.0.0/8'));
    const { changes } = diffPlans(before, planOf(config('10.1.0.0/16')));
    const change = changes.find(({ kind }) => kind === 'acl')!;
    const live: LiveNumbers = {
      connections: { door: 1, hall: 10, free: 100 },
      endpoints: [],
      older: 0,
      leases: [lease('door', 'rest'), lease('hall', 'rest'), lease('free', 'inner'), lease('free', 'rest')],
    };
    expect(touchesOf(change, before, live)).toEqual({ connections: 1, exchanges: 3, streams: 0, idle: 0 });
  });
});
