/** Other caches in front of an origin, to hold a judge against what is known of them: Debian's nginx, Varnish and HAProxy. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { freePort } from './ports.ts';

export interface PeerCache extends AsyncDisposable {
  readonly port: number;
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** Each as plainly configured as the outside suite's own containers have it. */
const PEERS: Readonly<Record<string, (folder: string, port: number, origin: number) => Command>> = {
  nginx: (folder, port, origin) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    // Its workers would otherwise be somebody who may not write into the folder.
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const text = `${user} daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 4096; }
      http {
        access_log off;
        ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
        proxy_cache_path ${folder}/cache levels=1:2 keys_zone=pages:8m max_size=1000m inactive=600m;
        server {
          listen 127.0.0.1:${port};
          location / {
            proxy_pass http://127.0.0.1:${origin};
            proxy_cache pages;
            proxy_cache_revalidate on;
            proxy_http_version 1.1;
          }
        }
      }`;
    return { program: '/usr/sbin/nginx', args: ['-e', 'stderr', '-p', folder, '-c', put(folder, text)] };
  },
  varnish: (folder, port, origin) => {
    const text = `vcl 4.0; backend default { .host = "127.0.0.1"; .port = "${origin}"; }`;
    const settings = ['default_ttl=0', 'default_grace=0', 'default_keep=3600'].flatMap((one) => ['-p', one]);
    const args = ['-F', '-j', 'none', '-n', folder, '-a', `127.0.0.1:${port}`, '-f', put(folder, text)];
    return { program: '/usr/sbin/varnishd', args: [...args, ...settings, '-s', 'malloc,64M'] };
  },
  haproxy: (folder, port, origin) => {
    const text = `defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
cache pages
  total-max-size 4
  max-object-size 10000
  max-age 240
  process-vary on
  max-secondary-entries 12
frontend web
  bind 127.0.0.1:${port}
  filter cache pages
  http-request cache-use pages
  http-response cache-store pages
  default_backend origin
backend origin
  server one 127.0.0.1:${origin}
`;
    return { program: '/usr/sbin/haproxy', args: ['-db', '-f', put(folder, text)] };
  },
};

function put(folder: string, text: string): string {
  const file = join(folder, 'config');
  writeFileSync(file, text);
  return file;
}

async function accepts(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  const answered = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answered;
}

export async function peerCache(name: string, originPort: number): Promise<PeerCache> {
  const peer = PEERS[name];
  if (peer === undefined) throw new Error(`no peer ${name}: there are ${Object.keys(PEERS).join(', ')}`);
  const folder = mkdtempSync(join(tmpdir(), `prozy-${name}-`));
  const port = await freePort();
  const { program, args } = peer(folder, port, originPort);
  if (!existsSync(program)) throw new Error(`${program} is missing: apt-get install ${name}`);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'exit');
  for (let tries = 0; !(await accepts(port)); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`${name} does not start: ${said}`);
    await after(50);
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
