/**
 * The outside suite in a process of its own: its origin and its client, which keep what they know in their modules and
 * write to standard output. Started by play.ts with the edition's engine folder.
 */
import { once } from 'node:events';
import http from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Results } from './score.ts';

export interface Orders {
  /** Where the cache listens. */
  readonly base: string;
  readonly atOnce: number;
  /** Only these tests. */
  readonly only: readonly string[] | null;
  /** All messages are shown. */
  readonly shown: boolean;
  readonly deadline: number;
}

type Handle = (segments: string[], request: http.IncomingMessage, response: http.ServerResponse) => void;
interface RawTest {
  readonly id: string;
  dump?: boolean;
}
type RawSuites = readonly { readonly tests: readonly RawTest[] }[];
interface Runner {
  runTests(...args: unknown[]): Promise<void>;
  getResults(): Results;
}

const [, , engine = '', folder = '', ownFetch = ''] = process.argv;

async function load<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(path).href)) as T;
}

/** The suite's handlers behind its own server's dispatch; that server listens on every address. */
async function startOrigin(): Promise<number> {
  const handlers = new Map<string, Handle>();
  for (const name of ['config', 'state', 'test']) {
    const { default: handle } = await load<{ default: Handle }>(join(engine, `server/handle-${name}.mjs`));
    handlers.set(name, handle);
  }
  const server = http.createServer((request, response) => {
    const [first = '', ...rest] = new URL(request.url ?? '/', 'http://localhost/').pathname.slice(1).split('/');
    const handle = handlers.get(first);
    if (handle !== undefined) return handle(rest, request, response);
    response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function run({ base, atOnce, only, shown, deadline }: Orders): Promise<Results> {
  const runner = await load<Runner>(join(engine, 'client/runner.mjs'));
  const { default: all } = await load<{ default: RawSuites }>(join(folder, 'tests/index.mjs'));
  const suites =
    only === null ? all : all.map((suite) => ({ ...suite, tests: suite.tests.filter(({ id }) => only.includes(id)) }));
  if (shown) for (const test of suites.flatMap(({ tests }) => tests)) test.dump = true;
  const settings: unknown[] = [false, base, atOnce];
  // The fetch that this edition's own command gives to its client.
  if (ownFetch === 'own') settings.unshift(createRequire(join(folder, 'cli.mjs'))('node-fetch') as unknown);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, deadline)));
  await Promise.race([runner.runTests(suites, ...settings), late]);
  clearTimeout(timer);
  return runner.getResults();
}

process.once('message', (orders) => {
  void run(orders as Orders).then((results) => process.send?.({ results }, () => process.exit()));
});
process.send?.({ port: await startOrigin() });
