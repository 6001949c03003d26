/** Settings of listeners that have no effect are told. */
import { expect, test } from 'vitest';
import { problemsOf } from './plan-of.ts';

const told = (protocol: 'http' | 'tcp', more: object): string[] =>
  problemsOf({
    listeners: { db: { address: '127.0.0.1:0', protocol, ...(protocol === 'tcp' ? { pool: 'p' } : {}), ...more } },
    pools: { p: { endpoints: ['127.0.0.1:1'] } },
  });

test.each([
  ['trusted_proxies', { trusted_proxies: ['10.0.0.0/8'] }],
  ['identity', { identity: {} }],
  ['paths', { paths: { send: 'normal' } }],
  ['timeouts/header', { timeouts: { header: '10s' } }],
  ['limits/header_size', { limits: { header_size: '16KiB', connections: 5 } }],
  ['limits/body_size', { limits: { body_size: '1MiB' } }],
])('%s has no effect on a tcp listener', (setting, more) => {
  expect(told('tcp', more)).toEqual([`/listeners/db/${setting}: has no effect: only http listeners read requests`]);
  expect(told('http', more)).toEqual([]);
});

test('a tcp listener with what it reads is told nothing', () => {
  expect(told('tcp', {})).toEqual([]);
  expect(told('tcp', { limits: { connections: 5, connections_per_client: 2 } })).toEqual([]);
});
