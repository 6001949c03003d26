/**
 * What a hit costs when much is stored: `node bench/cache-entries.ts [entries]`. CPU per hit among that many entries,
 * asked for all over, against CPU per hit among ten, in turn within one run.
 */
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { type GatewayProcess, gatewayProcess, median, pause, report } from './support.ts';

const PORT = 19_290;
const many = Number(process.argv[2] ?? 100_000);

const origin = http.createServer((_, response) =>
  response.writeHead(200, { 'Cache-Control': 'max-age=3600', 'Content-Type': 'text/plain' }).end('x'.repeat(113)),
);
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const originPort = (origin.address() as AddressInfo).port;

const config = `
version: 1
listeners: { web: { address: "127.0.0.1:${PORT}" } }
caches: { pages: { max_size: 512MiB } }
pools: { origin: { endpoints: ["127.0.0.1:${originPort}"] } }
routes: [{ name: all, match: {}, policies: [{ type: cache, cache: pages }], pool: origin }]
`;

const request = (i: number): string => `GET /page/${i} HTTP/1.1\r\nHost: example.com\r\n\r\n`;

/** Asks for `count` things by `next` over `clients` connections; resolves when all are answered. */
function ask(clients: number, count: number, next: () => number): Promise<void> {
  let asked = 0;
  return Promise.all(
    Array.from({ length: clients }, async () => {
      const socket = net.connect({ port: PORT, host: '127.0.0.1', noDelay: true });
      await new Promise<void>((resolve) => {
        const one = (): void => {
          if (asked++ >= count) {
            socket.destroy();
            resolve();
          } else socket.write(request(next()));
        };
        let text = '';
        socket.on('connect', one);
        socket.on('data', (part) => {
          text += part.toString('latin1');
          const end = text.indexOf('\r\n\r\n');
          if (end < 0 || text.length < end + 4 + 113) return;
          if (!text.startsWith('HTTP/1.1 200')) throw new Error(text.slice(0, 100));
          text = '';
          one();
        });
      });
    }),
  ).then(() => {});
}

async function costPerHit(gateway: GatewayProcess, entries: number): Promise<number> {
  const random = (): number => Math.floor(Math.random() * entries);
  await ask(32, 5000, random);
  const before = gateway.cpu();
  await ask(32, 100_000, random);
  return ((gateway.cpu() - before) * 1e6) / 100_000;
}

await using gateway = await gatewayProcess(config, PORT);
const bare = gateway.memory();
let stored = 0;
await ask(32, many, () => stored++);
await pause(1000);
const full = gateway.memory();
const few: number[] = [];
const all: number[] = [];
for (let round = 0; round < 5; round++) {
  few.push(await costPerHit(gateway, 10));
  all.push(await costPerHit(gateway, many));
}
report('cache-entries', {
  entries: many,
  us_per_hit: { of_ten: median(few), of_all: median(all) },
  ratio: median(all) / median(few),
  bytes_per_entry: Math.round((full - bare) / many),
});
origin.close();
