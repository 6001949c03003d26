/**
 * What compressing responses costs: prozy beside nginx, with the same file, coding and level.
 *
 *   node bench/compress.ts                 gzip at levels 1, 5 and 9, of contents of 4 KiB to 1 MiB, five pairs each
 *   PAIRS=3 LEVELS=5 SIZES=100000 node bench/compress.ts
 *
 * Needs Debian's nginx. Both are a proxy with one worker in front of the same backend (an nginx that serves the file), and
 * take turns. A line gives the bytes of one response and the CPU milliseconds for each MB of plain content, all threads
 * together, and prozy's share of nginx's: the median over the pairs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { cpuSeconds, gatewayProcess, median, pause, report } from './support.ts';

const ORIGIN = 19_500;
const NGINX = 19_501;
const PROZY = 19_502;
/** Plain bytes of one measurement. */
const VOLUME = 64 * 1024 * 1024;
/** Plain bytes before the first measurement: V8 compiles what runs often. */
const WARM_UP = 32 * 1024 * 1024;
const PAIRS = Number(process.env['PAIRS'] ?? 5);
const LEVELS = (process.env['LEVELS'] ?? '1,5,9').split(',').map(Number);
const SIZES = (process.env['SIZES'] ?? '4096,16384,102400,1048576').split(',').map(Number);
/** `chunked`: the backend does not announce the length. */
const CHUNKED = process.env['CHUNKED'] === '1';

if (!existsSync('/usr/sbin/nginx')) {
  console.error('/usr/sbin/nginx is missing: apt-get install nginx');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'prozy-compress-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Text as the web has it: the reference of this project, repeated with other numbers. */
function textOf(size: number): Buffer {
  const source = readFileSync(fileURLToPath(new URL('../docs/reference/config.md', import.meta.url)), 'utf8');
  let text = '';
  for (let i = 0; text.length < size; i++) text += source.replaceAll(/e/g, (e) => (i % 3 === 0 ? e : `${e}${i % 10}`));
  return Buffer.from(text, 'latin1').subarray(0, size);
}

for (const size of SIZES) writeFileSync(join(folder, `${size}.txt`), textOf(size));

interface Nginx extends AsyncDisposable {
  cpu(): number;
}

async function nginx(name: string, server: string): Promise<Nginx> {
  const file = join(folder, `${name}.conf`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const paths = temporary.map((one) => `${one}_temp_path ${folder}/${name}-${one};`).join(' ');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/${name}.pid; error_log stderr error;
events {}
http { ${paths} access_log off; types { text/plain txt; } ${server} }`,
  );
  const child: ChildProcess = spawn('/usr/sbin/nginx', ['-c', file, '-p', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await pause(300);
  if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`);
  const pid = child.pid ?? 0;
  return {
    cpu: () => cpuSeconds(pid),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

function ask(port: number, size: number, headers: http.OutgoingHttpHeaders): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', path: `/${size}.txt`, agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(Buffer.concat(parts)));
        response.on('error', reject);
      })
      .on('error', reject);
  });
}

/** CPU milliseconds for each MB, with four requests at a time. */
async function cost(
  port: number,
  size: number,
  cpu: () => number,
  headers: http.OutgoingHttpHeaders,
  volume = VOLUME,
): Promise<number> {
  let left = Math.ceil(volume / size);
  const megabytes = (left * size) / 1e6;
  const before = cpu();
  const client = async (): Promise<void> => {
    while (left-- > 0) await ask(port, size, headers);
  };
  await Promise.all(Array.from({ length: 4 }, client));
  // The process's clock has ticks of 10 ms.
  return ((cpu() - before) * 1000) / megabytes;
}

await using origin = await nginx(
  'origin',
  CHUNKED
    ? `server { listen 127.0.0.1:${ORIGIN}; root ${folder}; ssi on; ssi_types text/plain; }`
    : `server { listen 127.0.0.1:${ORIGIN}; root ${folder}; }`,
);
void origin;
const accept = { 'accept-encoding': 'gzip' };
for (const level of LEVELS) {
  await using peer = await nginx(
    'peer',
    `gzip on; gzip_comp_level ${level}; gzip_types text/plain; gzip_min_length 100; gzip_proxied any;
upstream origin { server 127.0.0.1:${ORIGIN}; keepalive 16; }
server { listen 127.0.0.1:${NGINX}; location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Accept-Encoding ""; } }`,
  );
  await using gateway = await gatewayProcess(
    JSON.stringify({
      version: 1,
      listeners: { web: { address: `127.0.0.1:${PROZY}` } },
      pools: { origin: { endpoints: [`127.0.0.1:${ORIGIN}`] } },
      routes: [
        {
          name: 'all',
          match: {},
          policies: [{ type: 'compress', encodings: ['gzip'], levels: { gzip: level } }],
          pool: 'origin',
        },
      ],
    }),
    PROZY,
    'json',
  );
  for (const size of SIZES) {
    const [theirs, ours] = [await ask(NGINX, size, accept), await ask(PROZY, size, accept)];
    if (!gunzipSync(theirs).equals(gunzipSync(ours))) throw new Error('the contents differ');
    for (const headers of [accept, {}]) await cost(PROZY, size, () => gateway.cpu(), headers, WARM_UP);
    const pairs: { nginx: number; prozy: number; nginxPlain: number; plain: number }[] = [];
    for (let i = 0; i < PAIRS; i++)
      pairs.push({
        nginx: await cost(NGINX, size, () => peer.cpu(), accept),
        prozy: await cost(PROZY, size, () => gateway.cpu(), accept),
        nginxPlain: await cost(NGINX, size, () => peer.cpu(), {}),
        plain: await cost(PROZY, size, () => gateway.cpu(), {}),
      });
    const rounded = (value: number): number => Math.round(value * 1000) / 1000;
    report('compress', {
      coding: 'gzip',
      level,
      size,
      chunked: CHUNKED,
      bytes: { nginx: theirs.length, prozy: ours.length, ratio: rounded(ours.length / theirs.length) },
      cpu_ms_per_mb: {
        nginx: rounded(median(pairs.map((pair) => pair.nginx))),
        prozy: rounded(median(pairs.map((pair) => pair.prozy))),
        ratio: rounded(median(pairs.map((pair) => pair.prozy / pair.nginx))),
        nginx_without_coding: rounded(median(pairs.map((pair) => pair.nginxPlain))),
        prozy_without_coding: rounded(median(pairs.map((pair) => pair.plain))),
      },
    });
  }
}
agent.destroy();
