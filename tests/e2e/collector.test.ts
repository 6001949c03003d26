/**
 * Garbage dies young: under a steady load there is no full collection, and nothing grows old that is not live. The
 * collector's own counters say so for a fixed number of requests, so that the machine's speed does not matter.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CollectorCounts } from '../support/collector-inside.ts';
import { freePort } from '../support/ports.ts';
import { processUnderLoad, steadyClients, steadyOrigin } from '../support/steady-load.ts';

const CLIENTS = 64;
/** Until the engine has compiled what is hot, and what lasts has grown old. */
const WARM_UP = 30_000;
const REQUESTS = 60_000;

interface Measured {
  readonly major: number;
  readonly minor: number;
  /** Bytes for each request: allocated, and grown old. */
  readonly allocated: number;
  readonly promoted: number;
}

/** `config`: of the ports of the gateway and its origin. `headers`: of each response. */
async function measure(
  config: (port: number, origin: number) => object,
  headers: string,
  path: (client: number, n: number) => string = () => '/hello',
): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'prozy-collector-'));
  try {
    const file = join(directory, 'gateway.json');
    const port = await freePort();
    const date = new Date().toUTCString();
    const body = 'x'.repeat(113);
    await using origin = await steadyOrigin(
      `HTTP/1.1 200 OK\r\nDate: ${date}\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
    writeFileSync(file, JSON.stringify(config(port, origin.port)));
    await using gateway = await processUnderLoad(file, port);
    await using clients = await steadyClients(
      port,
      CLIENTS,
      (client, n) => `GET ${path(client, n)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    );
    await clients.send(WARM_UP);
    const before = await gateway.counts();
    await clients.send(REQUESTS);
    return difference(before, await gateway.counts());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function difference(before: CollectorCounts, after: CollectorCounts): Measured {
  return {
    major: after.major - before.major,
    minor: after.minor - before.minor,
    allocated: (after.allocated - before.allocated) / REQUESTS,
    promoted: (after.old - before.old) / REQUESTS,
  };
}

const config =
  (route: object, rest: object = {}) =>
  (port: number, origin: number): object => ({
    version: 1,
    listeners: { web: { address: `127.0.0.1:${port}` } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin}`] } },
    routes: [{ name: 'all', match: { path: '/' }, pool: 'origin', ...route }],
    ...rest,
  });

const cached = config({ policies: [{ type: 'cache', cache: 'pages' }] }, { caches: { pages: {} } });

test('a proxied request leaves nothing behind', async () => {
  const measured = await measure(config({}), '');
  // Else nothing has been measured.
  expect(measured.minor).toBeGreaterThan(5);
  expect(measured.major).toBe(0);
  // What is live at a collection is 64 exchanges; a few bytes of each request that the engine itself keeps.
  expect(measured.promoted).toBeLessThan(16);
  // Its texts, in and out, are half of it. A request that costs more has got an object that it does not need.
  expect(measured.allocated).toBeLessThan(2500);
});

test('nor does one with a total timeout, which has a deadline of its own', async () => {
  const pools = (port: number, origin: number): object => ({
    ...config({})(port, origin),
    pools: { origin: { endpoints: [`127.0.0.1:${origin}`], timeouts: { total: '30s' } } },
  });
  const measured = await measure(pools, '');
  expect(measured.minor).toBeGreaterThan(5);
  expect(measured.major).toBe(0);
  expect(measured.promoted).toBeLessThan(16);
});

test('nor does a hit', async () => {
  const hits = await measure(cached, 'Cache-Control: max-age=600\r\n');
  expect(hits.major).toBe(0);
  expect(hits.promoted).toBeLessThan(16);
});

// The keys are those that the cache remembers: a key that is new to it lasts, as it should.
test('nor does what the cache fetches and may not store, over thousands of keys', async () => {
  const passed = await measure(cached, 'Cache-Control: no-store\r\n', (client, n) => `/${client}/${n % 50}`);
  expect(passed.minor).toBeGreaterThan(5);
  expect(passed.major).toBe(0);
  expect(passed.promoted).toBeLessThan(16);
});
