/** A gateway with a history as a process that is killed, and what can be seen of it from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readingDisk } from '../../../src/kit/disk.ts';
import { contentOf, type Entry } from '../../../src/history/entry.ts';
import { HistoryStore } from '../../../src/history/store.ts';
import { quietPort } from '../../support/quiet-port.ts';
import { get, getJson } from '../../support/requests.ts';
import type { Stored } from './model.ts';
import flags from '../../../bin/engine-flags.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** For a process on a busy machine (ms). */
const PATIENCE = 60_000;

interface LastReload {
  readonly id: string;
  readonly trigger: string;
}

export class MortalGateway implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'prozy-crashes-'));
  readonly #file = join(this.#folder, 'gateway.yaml');
  readonly #store = new HistoryStore(join(this.#folder, 'state'), this.#file, readingDisk);
  readonly #port: number;
  readonly #adminPort: number;
  #process: ChildProcess | null = null;
  #gone: Promise<unknown> = Promise.resolve();
  #said = '';

  private constructor(port: number, adminPort: number) {
    this.#port = port;
    this.#adminPort = adminPort;
  }

  static async open(): Promise<MortalGateway> {
    return new MortalGateway(await quietPort(), await quietPort());
  }

  /** A config of that number; a bad one has a route to a pool that there is not. */
  textOf(number: number, good: boolean): string {
    return `version: 1
admin: { address: "127.0.0.1:${this.#adminPort}" }
reload: { state_dir: ./state }
listeners:
  web: { address: "127.0.0.1:${this.#port}" }
routes:
  - { name: all, match: {}, ${good ? `respond: { body: "${number}" }` : `pool: nobody${number}`} }
`;
  }

  write(text: string): void {
    writeFileSync(`${this.#file}.new`, text);
    renameSync(`${this.#file}.new`, this.#file);
  }

  /** Answers whether it serves. */
  async start(): Promise<boolean> {
    const child = this.#spawn();
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await this.#until(async () => ended() || (await this.body()) !== null, 'it serves or has ended');
    return !ended();
  }

  async startAndKill(ms: number): Promise<void> {
    this.#spawn();
    await new Promise((resolve) => setTimeout(resolve, ms));
    await this.kill();
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [...flags, 'src/main.ts', '--config', this.#file], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    this.#gone = once(child, 'exit');
    this.#said = '';
    child.stderr.on('data', (part: Buffer) => (this.#said += part.toString()));
    return child;
  }

  /** On standard error, since it was started. */
  get said(): string {
    return this.#said;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    child?.kill('SIGKILL');
    await this.#gone;
  }

  /** What it serves, as a number; null: nobody answers. */
  body(): Promise<string | null> {
    return get(this.#port).then(
      ({ body }) => body,
      () => null,
    );
  }

  /** Resolves when it has looked at the file as it is now, and has written all down. */
  async settled(): Promise<void> {
    const last = async (): Promise<LastReload | null> =>
      (await getJson<{ last_reload: LastReload | null }>(this.#adminPort, '/generations')).last_reload;
    const before = (await last())?.id;
    this.#process?.kill('SIGHUP');
    await this.#until(async () => {
      const now = await last();
      return now !== null && now.id !== before && now.trigger === 'sighup';
    }, 'it has looked at the file');
    await this.#until(async () => {
      const [newest] = await this.#entries();
      return newest !== undefined && (await this.textOfEntry(newest)) === this.textOf(Number(await this.body()), true);
    }, 'what serves is written down');
  }

  async #entries(): Promise<readonly Entry[]> {
    return (await this.#store.list()).entries;
  }

  /** Numbers and texts of the history, the newest first. */
  async entries(): Promise<{ number: number; text: string }[]> {
    const all = await this.#entries();
    return Promise.all(all.map(async (entry) => ({ number: entry.number, text: await this.textOfEntry(entry) })));
  }

  async textOfEntry(entry: Entry): Promise<string> {
    return (await this.#store.read(entry)).texts.get(this.#file) ?? '';
  }

  /** What is on the disk; `texts`: all that the file has ever said. */
  async stored(texts: readonly string[]): Promise<Stored> {
    const [newest] = await this.entries();
    const hold = await this.#store.hold();
    const byContent = new Map(
      texts.map((text) => [contentOf({ texts: new Map([[this.#file, text]]), found: new Map() }), text]),
    );
    const textFor = (content: string): string => byContent.get(content) ?? `the unknown content ${content}`;
    return {
      newest: newest?.text ?? null,
      hold: hold === null ? null : { serves: textFor(hold.serves), insteadOf: textFor(hold.instead_of) },
    };
  }

  /** null: it did not get to answer. */
  command(method: 'POST' | 'DELETE', path: string): Promise<number | null> {
    return get(this.#adminPort, path, { method }).then(
      ({ status }) => status,
      () => null,
    );
  }

  /** Resolves when a reload has reached that phase, or it ends. */
  phase(name: string): Promise<void> {
    return new Promise((resolve) => {
      const request = http.get(
        { port: this.#adminPort, host: '127.0.0.1', path: '/events', agent: false },
        (response) => {
          response.on('data', (part: Buffer) => {
            if (part.toString().includes(`"phase":"${name}"`)) request.destroy();
          });
        },
      );
      request.on('error', () => {});
      request.on('close', resolve);
    });
  }

  async #until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const started = performance.now();
    while (!(await condition())) {
      if (performance.now() - started > PATIENCE) throw new Error(`waited in vain until ${what}, after ${this.#said}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
