/**
 * Reloads beneath open upgraded streams: `node bench/migration.ts [--pinned] [streams] [reloads]`.
 *
 * Each reload changes a line that has nothing to do with the streams, by an edit of the file as soon as the one before is in effect.
 * `--pinned`: the first edit takes their pool away, so that they hold the first generation until its drain time is over; at
 * the end it is waited for. Shown: what a reload costs until it is in effect, the longest that a request waited meanwhile,
 * generations, streams that were cut before their time, and memory.
 */
import http from 'node:http';
import net from 'node:net';
import { parseArgs } from 'node:util';
import { gatewayProcess, pause, report } from './support.ts';

const PORT = 19_291;
const ORIGIN = 19_292;
const ADMIN = 19_293;
const { values, positionals } = parseArgs({ options: { pinned: { type: 'boolean' } }, allowPositionals: true });
const pinned = values.pinned === true;
const [streams = 1000, reloads = 1000] = positionals.map(Number);
/** Seconds from the first edit on that pinned streams may go on: longer than the reloads take. */
const DRAIN = 60 + Math.ceil(reloads / 20);
/** Reloads that are not measured. */
const WARM_UP = 300;
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const OFFER = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** Pinned streams lose their pool with the first edit. */
const poolOf = (version: number): string => (pinned && version > 0 ? 'another' : 'origin');
const configOf = (version: number): string => `version: 1
reload: { drain: ${DRAIN}s }
logging: { level: warn }
admin: { address: "127.0.0.1:${ADMIN}" }
listeners: { web: { address: "127.0.0.1:${PORT}", limits: { connections: 0 } } }
pools: { ${poolOf(version)}: { endpoints: ["127.0.0.1:${ORIGIN}"] } }
routes:
  - { name: version, match: { path: { exact: /version } }, respond: { body: "${version}" } }
  - { name: all, match: {}, pool: ${poolOf(version)} }
`;

const origin = http.createServer();
origin.on('upgrade', (_, socket) => {
  socket.on('error', () => {});
  socket.on('data', (part: Buffer) => socket.write(part));
  socket.write(SWITCH);
});
origin.listen(ORIGIN, '127.0.0.1');

const gateway = await gatewayProcess(configOf(0), PORT);
let cut = 0;
const open: net.Socket[] = [];
for (let i = 0; i < streams; i++) {
  const socket = net.connect(PORT, '127.0.0.1');
  open.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('data', () => resolve());
    socket.write(OFFER);
  });
  socket.on('close', () => cut++);
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const get = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = http.get(
      { host: '127.0.0.1', port, path, agent: port === PORT ? agent : undefined },
      (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () => resolve(body));
      },
    );
    request.on('error', reject);
  });

/** Edits, and waits until the edit is in effect; answers with how long that took (ms). */
async function reload(version: number): Promise<number> {
  const edited = performance.now();
  gateway.edit(configOf(version));
  for (;;) {
    const asked = performance.now();
    const seen = await get(PORT, '/version');
    longest = Math.max(longest, performance.now() - asked);
    if (seen === String(version)) return performance.now() - edited;
  }
}

let longest = 0;
let version = 0;
const began = performance.now();
// Code is compiled and the heap has found its size first.
while (version < WARM_UP) await reload(++version);
longest = 0;
await pause(1000);
const before = gateway.memory();
const cpu = gateway.cpu();
const effects: number[] = [];
while (version < WARM_UP + reloads) effects.push(await reload(++version));
const used = gateway.cpu() - cpu;
const took = performance.now() - began;
await pause(1000);
const cutBefore = cut;
const { generations } = JSON.parse(await get(ADMIN, '/generations')) as { generations: { leases: number }[] };
effects.sort((a, b) => a - b);
report('migration', {
  streams,
  reloads,
  cut: cutBefore,
  generations: generations.length,
  leases: generations.map((one) => one.leases),
  effect_ms_median: effects[effects.length >> 1],
  effect_ms_max: effects.at(-1),
  longest_request_ms: longest,
  cpu_ms_per_reload: (used * 1000) / reloads,
  before_mib: before / 2 ** 20,
  after_mib: gateway.memory() / 2 ** 20,
});
if (pinned) {
  // Their end is spread over the last part of the drain time.
  await pause(DRAIN * 1000 - (performance.now() - began) + 5000);
  const after = JSON.parse(await get(ADMIN, '/generations')) as { generations: object[] };
  report('migration, after the drain time', {
    drain_s: DRAIN,
    reloads_took_s: took / 1000,
    cut,
    generations: after.generations.length,
  });
}
await gateway[Symbol.asyncDispose]();
process.exit(0);
