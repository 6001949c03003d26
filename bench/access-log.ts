/** CPU per request with the access log on against off, to a file, in turns: `node bench/access-log.ts [rounds]`. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayProcess, load, median, pause, report } from './support.ts';

const PORT = 19_282;
const rounds = Number(process.argv[2] ?? 5);
const REQUEST =
  'GET /some/path?with=query HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n\r\n';

const origin = http.createServer((_, response) => response.end('hello'));
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const { port } = origin.address() as AddressInfo;

const config = (log: boolean): string => `version: 1
${log ? `logging: { access: { path: ${join(tmpdir(), 'prozy-bench-access.log')} } }` : ''}
listeners: { web: { address: "127.0.0.1:${PORT}" } }
pools: { origin: { endpoints: ["127.0.0.1:${port}"] } }
routes: [{ name: all, match: {}, pool: origin }]
`;

async function cost(log: boolean): Promise<number> {
  await using gateway = await gatewayProcess(config(log), PORT);
  const clients = load(PORT, 32, REQUEST);
  await pause(2000);
  const cpu = gateway.cpu();
  const { answers } = clients;
  await pause(4000);
  const each = ((gateway.cpu() - cpu) * 1e6) / (clients.answers - answers);
  clients.stop();
  if (clients.failures > 0) throw new Error(`${clients.failures} requests failed`);
  return each;
}

const off: number[] = [];
const on: number[] = [];
for (let i = 0; i < rounds; i++) {
  off.push(await cost(false));
  on.push(await cost(true));
}
report('access-log', { us_off: median(off), us_on: median(on), ratio: median(on) / median(off) });
process.exit(0);
