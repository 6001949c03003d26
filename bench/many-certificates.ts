/**
 * What ten thousand certificates cost: `node bench/many-certificates.ts [certificates]`, against one.
 *
 * - the time until the gateway accepts connections, and its memory then;
 * - CPU of a full handshake: all clients with one name, then each with another name;
 * - a reload of something else, and a renewal: the time to its effect, and the longest that the event loop of the
 *   gateway kept a plain request waiting meanwhile.
 */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { serverCertificate } from '../src/acme/x509/certificates.ts';
import { type GatewayProcess, gatewayProcess, load, pause, report } from './support.ts';

const PORT = 19_283;
const PLAIN = 19_284;
const HANDSHAKES = 2000;
const many = Number(process.argv[2] ?? 10_000);

const folder = mkdtempSync(join(tmpdir(), 'prozy-bench-'));
const nameOf = (i: number): string => `h${i}.example.com`;

function place(i: number): void {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const validity = { from: Date.now() - 1000, to: Date.now() + 90 * 24 * 3600 * 1000 };
  const cert = serverCertificate([nameOf(i)], privateKey, validity, null);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(folder, 'new'), `${cert}${key}`);
  renameSync(join(folder, 'new'), join(folder, `h${i}.pem`));
}

const config = (version: string): string =>
  [
    'version: 1',
    `certificates: { all: { dir: ${folder} } }`,
    'listeners:',
    `  web: { address: "127.0.0.1:${PORT}", tls: { certificates: [all] } }`,
    `  plain: { address: "127.0.0.1:${PLAIN}" }`,
    'routes:',
    `  - { name: version, match: {}, respond: { body: "${version}" } }`,
    '',
  ].join('\n');

/** Microseconds of the gateway's CPU for each full handshake. */
async function handshakes(gateway: GatewayProcess, names: number): Promise<number> {
  const cpu = gateway.cpu();
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < HANDSHAKES) await serial(nameOf((next++ * 7) % names));
  };
  await Promise.all(Array.from({ length: 8 }, run));
  return ((gateway.cpu() - cpu) * 1e6) / HANDSHAKES;
}

/** The serial number of the certificate that a client with this name gets. */
function serial(servername: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: PORT, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      resolve(serialNumber);
    });
    socket.on('error', reject);
  });
}

async function took(change: () => void, inEffect: () => Promise<boolean>): Promise<object> {
  const clients = load(PLAIN, 1, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 1);
  await pause(1500);
  clients.latencies();
  const began = performance.now();
  change();
  while (!(await inEffect())) await pause(5);
  const effect = performance.now() - began;
  await pause(1500);
  const longest = Math.max(...clients.latencies());
  clients.stop();
  return { effect_ms: Math.round(effect), longest_request_ms: Math.round(longest * 10) / 10 };
}

const version = async (): Promise<string> => (await fetch(`http://127.0.0.1:${PLAIN}/`)).text();

try {
  for (const count of [1, many]) {
    for (let i = count === 1 ? 0 : 1; i < count; i++) place(i);
    const began = performance.now();
    await using gateway = await gatewayProcess(config('v0'), PORT);
    const start = Math.round(performance.now() - began);
    await pause(3000);
    const memory = Math.round(gateway.memory() / 1024 / 1024);
    const one = await handshakes(gateway, 1);
    const each = await handshakes(gateway, count);
    const after = Math.round(gateway.memory() / 1024 / 1024);
    report('many-certificates', { certificates: count, start_ms: start, memory_mb: memory });
    report('many-certificates handshake', {
      certificates: count,
      us_one_name: one,
      us_each_name: each,
      memory_mb: after,
    });
    for (let i = 1; i <= 3; i++) {
      const edited = await took(
        () => gateway.edit(config(`v${i}`)),
        async () => (await version()) === `v${i}`,
      );
      report('many-certificates reload', { certificates: count, ...edited });
      const old = await serial(nameOf(0));
      const renewed = await took(
        () => place(0),
        async () => (await serial(nameOf(0))) !== old,
      );
      report('many-certificates renewal', { certificates: count, ...renewed });
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
process.exit(0);
