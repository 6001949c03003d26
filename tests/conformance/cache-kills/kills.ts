/**
 * A gateway that is killed with -9 while its cache writes to disk, again and again. What it gives afterwards must be whole,
 * of the URL that was asked for, and never what had been taken back before the request was sent.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { get } from '../../support/requests.ts';
import { tagOf, VersionedOrigin, versionIn } from './origin.ts';
import flags from '../../../bin/engine-flags.json' with { type: 'json' };
import { freePort } from '../../support/ports.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const SIZES = [0, 100, 2000, 16_000, 70_000, 300_000];
const TAGS = 20;
const CLIENTS = 16;

export interface KillsOptions {
  readonly rounds: number;
  /** Where everything is; it is the caller's to remove. */
  readonly path: string;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** The longest time before a kill (ms). */
  readonly longest: number;
  readonly urls: number;
  readonly maxSize: string;
}

export interface KillsResult {
  rounds: number;
  requests: number;
  /** Given out of the disk, as told by Cache-Status, before anything was stored anew. */
  fromDisk: number;
  /** Requests that took something back, and were answered. */
  takenBack: number;
  /** Bodies that are not what was asked for. */
  torn: number;
  /** Bodies that had been taken back, and when they came. */
  readonly cameBack: string[];
  /** The longest time until all that is on disk is known, as the gateway has it (ms), and how many entries that were. */
  slowest: number;
  entries: number;
  corrupt: number;
}

export async function kills(options: KillsOptions): Promise<KillsResult> {
  await using origin = await VersionedOrigin.open();
  const { rounds, path } = options;
  const [port, admin] = [await freePort(), await freePort()];
  const file = join(path, 'gateway.json');
  writeFileSync(file, JSON.stringify(configOf(origin.port, port, admin, options)));
  const found = { torn: 0, cameBack: [], corrupt: 0, slowest: 0, entries: 0 };
  const result: KillsResult = { rounds, requests: 0, fromDisk: 0, takenBack: 0, ...found };
  const one = new Round(origin, port, admin, options, result);
  for (let round = 0; round <= rounds; round++) {
    await using gateway = await start(file);
    const { ms, entries } = gateway;
    result.slowest = Math.max(result.slowest, ms);
    result.entries = Math.max(result.entries, entries);
    await one.verify();
    const { body } = await get(admin, '/metrics');
    result.corrupt += Number(/^prozy_cache_disk_corrupt_total\{cache="pages"\} (\d+)/m.exec(body)?.[1]);
    if (round === rounds) break;
    const until = performance.now() + 20 + options.random() * options.longest;
    const load = Array.from({ length: CLIENTS }, () => one.load(until));
    // Not a wait for something: the moment of the kill is to be any.
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - performance.now())));
    gateway.kill();
    await Promise.all(load);
  }
  return result;
}

class Round {
  readonly #origin: VersionedOrigin;
  readonly #port: number;
  readonly #admin: number;
  readonly #options: KillsOptions;
  readonly #result: KillsResult;
  readonly #urls: readonly string[];
  /** By URL: what has a lower version has been taken back. */
  readonly #floor = new Map<string, number>();

  constructor(origin: VersionedOrigin, port: number, admin: number, options: KillsOptions, result: KillsResult) {
    this.#origin = origin;
    this.#port = port;
    this.#admin = admin;
    this.#options = options;
    this.#result = result;
    this.#urls = Array.from({ length: options.urls }, (_, n) => `/t${n % TAGS}/${SIZES[n % SIZES.length]}/${n}`);
  }

  /** Everything is asked for once. */
  async verify(): Promise<void> {
    for (let n = 0; n < this.#urls.length; n += CLIENTS)
      await Promise.all(this.#urls.slice(n, n + CLIENTS).map((url) => this.#get(url, true)));
  }

  async load(until: number): Promise<void> {
    const { random } = this.#options;
    while (performance.now() < until) {
      const url = this.#urls[Math.floor(random() * this.#urls.length)]!;
      const dice = random();
      try {
        if (dice < 0.6) await this.#get(url, false);
        else if (dice < 0.8) await this.#renew(url);
        else if (dice < 0.98) await this.#post(url);
        else await this.#purge(tagOf(url));
      } catch {
        // It has been killed.
      }
    }
  }

  async #get(url: string, counts: boolean, headers: Record<string, string> = {}): Promise<void> {
    const floor = this.#floor.get(url) ?? 0;
    const { status, body, headers: given } = await get(this.#port, url, { headers });
    const result = this.#result;
    result.requests++;
    const version = versionIn(url, body);
    if (status !== 200 || version === null) result.torn++;
    else if (version < floor) {
      const when = counts ? 'after a start' : 'under load';
      result.cameBack.push(`${url} ${version}, not ${floor}, ${when}: ${String(given['cache-status'])}`);
    }
    if (counts && String(given['cache-status']).includes('hit')) result.fromDisk++;
  }

  /** What is stored is replaced by another version. */
  async #renew(url: string): Promise<void> {
    this.#origin.versions.set(url, this.#origin.versionOf(url) + 1);
    await this.#get(url, false, { 'cache-control': 'no-cache' });
  }

  async #post(url: string): Promise<void> {
    const { status, headers } = await get(this.#port, url, { method: 'POST' });
    // Others may have made further versions until this comes, and what was stored in between has not been taken back.
    if (status === 200) this.#takenBack([url], [Number(headers['x-version'])]);
  }

  async #purge(tag: string): Promise<void> {
    const meant = this.#urls.filter((url) => tagOf(url) === tag);
    for (const url of meant) this.#origin.versions.set(url, this.#origin.versionOf(url) + 1);
    const versions = meant.map((url) => this.#origin.versionOf(url));
    const { status } = await get(this.#admin, `/caches/pages?tag=${tag}`, { method: 'DELETE' });
    if (status === 200) this.#takenBack(meant, versions);
  }

  /** What is older than these versions is not to be seen any more. */
  #takenBack(urls: readonly string[], versions: readonly number[]): void {
    this.#result.takenBack++;
    urls.forEach((url, i) => this.#floor.set(url, Math.max(this.#floor.get(url) ?? 0, versions[i]!)));
  }
}

function configOf(origin: number, port: number, admin: number, { path, maxSize }: KillsOptions): object {
  return {
    version: 1,
    listeners: { web: { address: `127.0.0.1:${port}` } },
    admin: { address: `127.0.0.1:${admin}` },
    caches: { pages: { disk: { path: join(path, 'disk'), max_size: maxSize } } },
    pools: { origin: { endpoints: [`127.0.0.1:${origin}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin', policies: [{ type: 'cache', cache: 'pages' }] }],
  };
}

interface Started extends AsyncDisposable {
  /** Until its disk was ready, as it says itself. */
  readonly ms: number;
  readonly entries: number;
  kill(): void;
}

/** Resolves when it serves and all that is on disk is known. */
async function start(file: string): Promise<Started> {
  const child = spawn(process.execPath, [...flags, 'src/main.ts', '--config', file], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'close');
  let text = '';
  const ready = new Promise<{ ms: number; entries: number }>((resolve, reject) => {
    child.stderr.on('data', (part: Buffer) => {
      text += part.toString();
      const line = text.split('\n').find((one) => one.includes('the disk of a cache is ready') && one.endsWith('}'));
      if (line !== undefined) resolve(JSON.parse(line) as { ms: number; entries: number });
    });
    void exited.then(() => reject(new Error(`it has ended: ${text}`)));
  });
  const kill = (): void => void child.kill('SIGKILL');
  try {
    const { ms, entries } = await ready;
    return {
      ms,
      entries,
      kill,
      async [Symbol.asyncDispose]() {
        kill();
        await exited;
      },
    };
  } catch (error) {
    kill();
    throw error;
  }
}
