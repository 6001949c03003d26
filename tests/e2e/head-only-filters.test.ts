/** What a chain of policies that see heads only costs for each part of a body: nothing, by V8's count of the calls. */
import inspector from 'node:inspector/promises';
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/origin.ts';

const LARGE = 4 * 1024 * 1024;
const SMALL = 2000;
/** The files of the chain and of the policies. */
const CHAIN = /\/src\/(?:policies\/.*|proxy\/filter-chain|http\/coding\/.*|http\/body-filter)\.ts$/;

const CHAINS = {
  none: [],
  headers: [
    { type: 'headers', request: { set: { 'x-a': '1' } }, response: { set: { 'x-b': '2' }, remove: ['server'] } },
  ],
  'compress, for a client that accepts no coding': [{ type: 'compress' }],
  'cors, headers and compress': [
    { type: 'cors', origins: ['https://a.example'] },
    { type: 'headers', response: { add: { 'x-b': '2' } } },
    { type: 'compress' },
  ],
};

/** How often each function of the chain is called, and the codec's `data`, while `run` goes on. */
async function callsDuring(run: () => Promise<void>): Promise<{ chain: Record<string, number>; parts: number }> {
  const session = new inspector.Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await run();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  session.disconnect();
  const chain: Record<string, number> = {};
  let parts = 0;
  for (const { url, functions } of result)
    for (const { functionName, ranges } of functions) {
      const { count } = ranges[0]!;
      if (CHAIN.test(url) && count > 0 && functionName !== '') chain[functionName] = count;
      if (url.endsWith('/h1/response-encoder.ts') && functionName === 'data') parts += count;
    }
  return { chain, parts };
}

test.each(Object.entries(CHAINS))('%s', { timeout: 60_000 }, async (_, policies) => {
  await using origin = await httpOrigin(({ url }, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end(Buffer.alloc(url === '/large' ? LARGE : SMALL, 'x'));
  });
  const routes = [{ name: 'all', match: {}, policies, pool: 'origin' }];
  await using gateway = await testGateway(simpleConfig(origin.port, { routes }));
  const get = (path: string, size: number) => async (): Promise<void> => {
    const response = await fetch(`http://127.0.0.1:${gateway.port()}${path}`, {
      headers: { 'accept-encoding': 'identity', origin: 'https://a.example' },
    });
    expect((await response.bytes()).length).toBe(size);
  };
  await get('/small', SMALL)();
  const small = await callsDuring(get('/small', SMALL));
  const large = await callsDuring(get('/large', LARGE));
  expect(large.parts).toBeGreaterThan(10 * small.parts);
  expect(large.chain).toEqual(small.chain);
  expect(Object.keys(small.chain).length > 0).toBe(policies.length > 0);
});
