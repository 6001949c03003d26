import { expect, test } from 'vitest';
import { rewrite } from '../../src/policies/rewrite.ts';
import { exchange } from '../support/exchange.ts';
import { NO_SCOPE } from '../support/policy.ts';

function rewritten(path: string, prefix: string, replacement: string): string {
  const x = exchange({ path, query: '?q=1' });
  rewrite.bind({ type: 'rewrite', prefix, replacement }, NO_SCOPE).forward!(x);
  return x.path + x.query;
}

test.each([
  ['/api/users', '/api', '/', '/users?q=1'],
  ['/api', '/api', '/', '/?q=1'],
  ['/api/', '/api', '/', '/?q=1'],
  ['/api/users', '/api', '/v2', '/v2/users?q=1'],
  ['/api/users', '/api', '/v2/', '/v2/users?q=1'],
  ['/users', '/', '/app', '/app/users?q=1'],
  ['/', '/', '/app', '/app/?q=1'],
  ['/apiary', '/api', '/', '/apiary?q=1'],
  ['/other', '/api', '/', '/other?q=1'],
])('%s with %s replaced by %s is %s', (path, prefix, replacement, wanted) => {
  expect(rewritten(path, prefix, replacement)).toBe(wanted);
});
