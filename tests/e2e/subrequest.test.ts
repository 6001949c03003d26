/** What the subrequest of a policy does otherwise than a client's request. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';
import { get, getJson } from '../support/requests.ts';

const cached = (port: number): Record<string, unknown> =>
  simpleConfig(port, {
    admin: { address: '127.0.0.1:0' },
    caches: { pages: {} },
    routes: [{ name: 'all', match: {}, policies: [{ type: 'cache', cache: 'pages' }], pool: 'origin' }],
    pools: { origin: { sticky: { cookie: 'at' }, endpoints: [`127.0.0.1:${port}`] } },
  });

test('the affinity cookie is for the client whose request is fetched, once, and is not stored', async () => {
  await using origin = await httpOrigin((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x');
  });
  await using gateway = await testGateway(cached(origin.port));
  const cookies = async (): Promise<unknown> => (await get(gateway.port(), '/')).headers['set-cookie'];
  expect(await cookies()).toEqual([expect.stringMatching(/^at=/)]);
  expect(await cookies()).toBeUndefined();
  expect(origin.requests).toHaveLength(1);
});

test('its lease is shown beside that of the client, as a fetch', async () => {
  const asked = Promise.withResolvers<() => void>();
  await using origin = await httpOrigin((_, response) => asked.resolve(() => response.end('x')));
  await using gateway = await testGateway(cached(origin.port));
  const response = get(gateway.port(), '/');
  const answer = await asked.promise;
  const { generations } = await getJson<{ generations: unknown[] }>(gateway.adminPort(), '/generations');
  expect(generations).toEqual([expect.objectContaining({ by_kind: { exchange: 1, fetch: 1 } })]);
  answer();
  expect((await response).status).toBe(200);
});
