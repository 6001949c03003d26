/** What an upstream is told of the client, and whom it is believed from. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get } from '../support/requests.ts';

const CLAIMS = {
  host: 'site.test',
  forwarded: 'for=203.0.113.7;proto=https',
  'x-forwarded-for': '203.0.113.7',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'public.test',
  'x-forwarded-port': '443',
};

async function told(listener: object, headers: Record<string, string>, more: object = {}) {
  const origin = await httpOrigin();
  await using _origin = origin;
  await using gateway = await testGateway(
    simpleConfig(origin.port, { listeners: { web: { address: '127.0.0.1:0', ...listener } }, ...more }),
  );
  const { status } = await get(gateway.port(), '/', { headers });
  return { status, headers: origin.requests[0]?.headers ?? {} };
}

test('what a client says of itself is replaced', async () => {
  const { headers } = await told({}, CLAIMS);
  expect(headers).toMatchObject({
    forwarded: 'for=127.0.0.1;host=site.test;proto=http',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'site.test',
  });
  expect(headers['x-forwarded-port']).toBeUndefined();
});

test('what a trusted proxy says is appended to, its word on host, scheme and port stands', async () => {
  const { headers } = await told({ trusted_proxies: ['127.0.0.0/8'] }, CLAIMS);
  expect(headers).toMatchObject({
    forwarded: 'for=203.0.113.7;proto=https, for=127.0.0.1;host=site.test;proto=http',
    'x-forwarded-for': '203.0.113.7, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'public.test',
    'x-forwarded-port': '443',
  });
});

test('a Forwarded whose quotes do not end is not appended to, even from a trusted proxy', async () => {
  const { headers } = await told({ trusted_proxies: ['127.0.0.1'] }, { host: 'a', forwarded: 'for="[2001:db8::1]' });
  expect(headers['forwarded']).toBe('for=127.0.0.1;host=a;proto=http');
});

test('an IPv6 client and a host with a port are quoted', async () => {
  await using origin = await httpOrigin();
  await using gateway = await testGateway(simpleConfig(origin.port, { listeners: { web: { address: '[::1]:0' } } }));
  await get(gateway.port(), '/', { host: '::1', headers: { host: 'site.test:8080' } });
  expect(origin.requests[0]!.headers).toMatchObject({
    forwarded: 'for="[::1]";host="site.test:8080";proto=http',
    'x-forwarded-for': '::1',
  });
});

test('Via is added to what was there, both ways', async () => {
  await using origin = await httpOrigin((_, response) => {
    response.setHeader('via', '1.0 inner');
    response.end();
  });
  await using gateway = await testGateway(simpleConfig(origin.port));
  const { headers } = await get(gateway.port(), '/', { headers: { via: '1.1 outer' } });
  expect(origin.requests[0]!.headers['via']).toBe('1.1 outer, 1.1 prozy');
  expect(headers['via']).toBe('1.0 inner, 1.1 prozy');
});

test('an ACL judges the client that trusted proxies name, read from the right', async () => {
  const acl = { acls: { a: { default: 'allow', deny: ['203.0.113.0/24'] } } };
  const ask = async (chain: string, trusted: string[]) =>
    (await told({ acl: 'a', trusted_proxies: trusted }, { host: 'a', 'x-forwarded-for': chain }, acl)).status;
  expect(await ask('203.0.113.7', ['127.0.0.1'])).toBe(403);
  expect(await ask('203.0.113.7', [])).toBe(200);
  expect(await ask('203.0.113.7, 198.51.100.1', ['127.0.0.1'])).toBe(200);
  expect(await ask('203.0.113.7, 198.51.100.1', ['127.0.0.1', '198.51.100.1'])).toBe(403);
  expect(await ask('nonsense', ['127.0.0.1'])).toBe(200);
});
