/**
 * The memory of a cache that is filled from all sides: `node bench/cache-memory.ts [seconds] [max_size in MiB]`. 64 clients ask for ever new
 * things, of 0 to twice the largest size that is stored, with and without a length; the resident memory is looked at all
 * the while, and held against `max_size`.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { gatewayProcess, pause, report } from './support.ts';

const PORT = 19_291;
const seconds = Number(process.argv[2] ?? 30);
const MIB = 1024 * 1024;
const MAX_SIZE = Number(process.argv[3] ?? 64) * MIB;
const MAX_ENTRY = MIB;

const chunk = Buffer.alloc(2 * MAX_ENTRY, 'x');
const origin = http.createServer(({ url = '' }, response) => {
  const size = Number(/\d+$/.exec(url)?.[0]);
  const sized = url.includes('sized') ? { 'Content-Length': size } : {};
  response.writeHead(200, { 'Cache-Control': 'max-age=3600', ...sized }).end(chunk.subarray(0, size));
});
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const originPort = (origin.address() as AddressInfo).port;

const config = (cached: boolean): string => `
version: 1
listeners: { web: { address: "127.0.0.1:${PORT}" } }
caches: { pages: { max_size: ${MAX_SIZE}, max_entry_size: ${MAX_ENTRY} } }
pools: { origin: { endpoints: ["127.0.0.1:${originPort}"] } }
routes: [{ name: all, match: {}, policies: [${cached ? '{ type: cache, cache: pages }' : ''}], pool: origin }]
`;

/** The most memory that it has while it is asked, and how much it was asked for. */
async function fill(cached: boolean): Promise<{ most: number; asked: number }> {
  await using gateway = await gatewayProcess(config(cached), PORT);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const until = performance.now() + seconds * 1000;
  let most = 0;
  let asked = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const size = Math.floor(Math.random() ** 3 * 2 * MAX_ENTRY);
      const path = `/${asked++}/${asked % 2 === 0 ? 'sized' : 'open'}/${size}`;
      http
        .get({ host: '127.0.0.1', port: PORT, path, agent }, (response) => response.resume().on('end', resolve))
        .on('error', reject);
    });
  const client = async (): Promise<void> => {
    while (performance.now() < until) await one();
  };
  const watch = async (): Promise<void> => {
    while (performance.now() < until) {
      most = Math.max(most, gateway.memory());
      await pause(50);
    }
  };
  await Promise.all([watch(), ...Array.from({ length: 64 }, client)]);
  agent.destroy();
  return { most, asked };
}

const without = await fill(false);
const withCache = await fill(true);
report('cache-memory', {
  seconds,
  responses: [without.asked, withCache.asked],
  mib: { without: Math.round(without.most / MIB), with: Math.round(withCache.most / MIB) },
  of_max_size: (withCache.most - without.most) / MAX_SIZE,
});
origin.close();
