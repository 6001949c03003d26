/**
 * What ten thousand routes cost: `node bench/many-routes.ts [routes]`.
 *
 * - per request: CPU with that many routes against CPU with ten, asking for the last route;
 * - per reload: from the edit to its effect, and the longest that any request waited meanwhile. How long most of them
 *   waited is measured by reload-latency.ts.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type GatewayProcess, gatewayProcess, lastOf, load, manyRoutes, median, pause, report } from './support.ts';

const PORT = 19_280;
const many = Number(process.argv[2] ?? 10_000);

const origin = http.createServer((_, response) => response.end('ok'));
await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
const originPort = (origin.address() as AddressInfo).port;

const config = (routes: number, version: string): string => manyRoutes(PORT, originPort, routes, version);

function lastRoute(routes: number): string {
  const { host, path } = lastOf(routes);
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

async function costPerRequest(gateway: GatewayProcess, routes: number): Promise<number> {
  const clients = load(PORT, 32, lastRoute(routes));
  await pause(2000);
  const cpu = gateway.cpu();
  const answers = clients.answers;
  await pause(4000);
  const cost = ((gateway.cpu() - cpu) * 1e6) / (clients.answers - answers);
  if (clients.failures > 0) throw new Error(`${clients.failures} requests failed`);
  clients.stop();
  return cost;
}

async function version(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${PORT}/version`);
  return response.text();
}

async function edits(gateway: GatewayProcess, routes: number): Promise<object> {
  const texts = Array.from({ length: 8 }, (_, i) => config(routes, `v${i}`));
  const clients = load(PORT, 4, lastRoute(routes), 1);
  await pause(2000);
  clients.latencies();
  const effect: number[] = [];
  const longest: number[] = [];
  for (let i = 1; i < texts.length; i++) {
    const began = performance.now();
    gateway.edit(texts[i]!);
    while ((await version()) !== `v${i}`) await pause(5);
    effect.push(performance.now() - began);
    await pause(1000);
    longest.push(Math.max(...clients.latencies()));
  }
  clients.stop();
  const rounded = (values: number[]): number[] => values.map((value) => Math.round(value * 10) / 10);
  return {
    effect_ms: rounded([median(effect), Math.max(...effect)]),
    longest_request_ms: rounded(longest),
    failures: clients.failures,
  };
}

const costs: Record<number, number[]> = { 10: [], [many]: [] };
for (let round = 0; round < 3; round++) {
  for (const routes of [10, many]) {
    await using gateway = await gatewayProcess(config(routes, 'v0'), PORT);
    costs[routes]!.push(await costPerRequest(gateway, routes));
  }
}
const [few, all] = [median(costs[10]!), median(costs[many]!)];
report('many-routes cost', { routes: many, us_with_10: few, us_with_many: all, ratio: all / few });
await using gateway = await gatewayProcess(config(many, 'v0'), PORT);
report('many-routes reload', { routes: many, ...(await edits(gateway, many)) });
await gateway[Symbol.asyncDispose]();
process.exit(0);
