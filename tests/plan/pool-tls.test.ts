/** The server names of endpoints: what the config says counts, not what the DNS answers. */
import { expect, test } from 'vitest';
import { endpointFound } from '../../src/plan/pools.ts';
import { planOf } from './plan-of.ts';

test('of addresses: the host, without port and brackets; the default port of https is left out of the Host', () => {
  const endpoints = ['App.internal:443', 'app.internal:80', '[::1]:8443', '10.0.0.1:443', 'unix:/a'];
  const tls = { server_name: 'a.example' };
  const { pools } = planOf({ pools: { app: { endpoints, tls, host: 'endpoint' } } });
  expect(pools[0]!.endpoints.map(({ serverName, host }) => [serverName, host])).toEqual([
    ['app.internal', 'App.internal'],
    ['app.internal', 'app.internal:80'],
    ['::1', '[::1]:8443'],
    ['10.0.0.1', '10.0.0.1'],
    ['', 'localhost'],
  ]);
});

test.each([
  ['web.example.com:443', 'auto', 'web.example.com'],
  ['_http._tcp.web.example.com', 'srv', 'web.example.com'],
])('of a name: %s, whatever the target of its records', (name, type, serverName) => {
  const endpoints = [{ dns: { name, type } }];
  const { pools } = planOf({ pools: { app: { endpoints, tls: true } } });
  const found = endpointFound('app', '10.0.0.9:8443', 'node-7.example.com:8443', pools[0]!.dns!.names[0]!, 1, true);
  expect([found.serverName, found.host]).toEqual([serverName, 'node-7.example.com:8443']);
});
