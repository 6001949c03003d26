/** The cache policy where it has no part in an exchange; what it stores and gives is in tests/e2e/cache.test.ts. */
import { expect, test } from 'vitest';
import { cached } from '../support/cached.ts';

const FRESH = { 'Cache-Control': 'max-age=60' };

test('it says why it has passed a request on', async () => {
  await using it = await cached((_, response) => response.writeHead(200, FRESH).end('x'), {
    bypass: [{ header: 'x-preview' }, { cookie: 'session', value: 'mine' }, { query: 'fresh' }],
  });
  const said = async (path: string, options = {}): Promise<unknown> =>
    (await it.ask(path, options)).headers['cache-status'];
  await it.ask('/');
  expect(await said('/')).toBe('prozy; hit; ttl=60');
  expect(await said('/', { headers: { 'X-Preview': '' } })).toBe('prozy; fwd=bypass');
  expect(await said('/', { headers: { Cookie: 'a=b; session=mine' } })).toBe('prozy; fwd=bypass');
  expect(await said('/', { headers: { Cookie: 'session=other' } })).toBe('prozy; hit; ttl=60');
  expect(await said('/?fresh')).toBe('prozy; fwd=bypass');
  expect(await said('/', { headers: { 'If-Match': '"a"' } })).toBe('prozy; fwd=bypass');
  expect(await said('/', { method: 'DELETE' })).toBe('prozy; fwd=method');
  expect(it.gateway.running.gateway.metrics.caches.get('pages')).toMatchObject({ passed: 5, hits: 2, stored: 1 });
});

test('what a rule keeps from being stored may still be answered from the store', async () => {
  await using it = await cached((_, response) => response.writeHead(200, FRESH).end('x'), {
    no_store: [{ header: 'x-bot' }],
  });
  const options = { headers: { 'X-Bot': '1' } };
  expect((await it.ask('/', options)).headers['cache-status']).toBe('prozy; fwd=uri-miss; detail=rule');
  expect((await it.ask('/')).headers['cache-status']).toBe('prozy; fwd=uri-miss; stored');
  expect((await it.ask('/', options)).headers['cache-status']).toBe('prozy; hit; ttl=60');
});
