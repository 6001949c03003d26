/** Plays a replay file at a cache: sessions one after another, each transaction told by its uuid. */
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { ask, type Got } from '../cache-cases/ask.ts';
import type { Check, Replay, Transaction } from './replay.ts';

/** Fields by which their own cache tells what it did. */
const THEIRS: ReadonlySet<string> = new Set(['x-cache', 'x-cache-key', 'via']);

export interface ReplayVerdict {
  readonly key: string;
  readonly wrong: readonly string[];
}

type Open = (originPort: number) => Promise<AsyncDisposable & { port: number }>;

export async function playReplay({ sessions }: Replay, open: Open): Promise<ReplayVerdict[]> {
  const transactions = sessions.flat();
  const seen = new Map<string, http.IncomingHttpHeaders>();
  const server = http.createServer((request, response) => {
    request.resume();
    const key = String(request.headers['uuid'] ?? '');
    seen.set(key, request.headers);
    const transaction = transactions.find((one) => one.key === key);
    if (transaction === undefined) return void response.writeHead(404).end();
    void answer(transaction, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const agent = new http.Agent({ keepAlive: true });
  const verdicts: ReplayVerdict[] = [];
  {
    await using cache = await open((server.address() as net.AddressInfo).port);
    for (const one of transactions) {
      const { method, target: path, request, content, delay } = one;
      await after(delay);
      const length =
        content === undefined || /content-length/i.test(request.join()) ? [] : ['content-length', `${content.length}`];
      const got = await ask(agent, cache.port, { method, path, lines: [...request, ...length], content });
      verdicts.push({ key: one.key, wrong: wrongWith(one, got, seen.get(one.key)) });
    }
    agent.destroy();
  }
  server.closeAllConnections();
  await once(server.close(), 'close');
  return verdicts;
}

async function answer(
  { answer: { status, lines, body, delay } }: Transaction,
  response: http.ServerResponse,
): Promise<void> {
  await after(delay);
  const framed = /content-length|transfer-encoding/i.test(lines.join()) || status === 304 || status === 204;
  response.sendDate = !/(^|,)date,/i.test(lines.join());
  response.writeHead(status, framed ? [...lines] : [...lines, 'content-length', `${body.length}`]);
  response.end(status === 304 || status === 204 ? '' : body);
}

function wrongWith(one: Transaction, got: Got, seen: http.IncomingHttpHeaders | undefined): string[] {
  const wrong: string[] = [];
  if (one.originMayNotSee && seen !== undefined) wrong.push('the origin was asked');
  if (one.status !== undefined && got.status !== one.status) wrong.push(`status ${got.status}, not ${one.status}`);
  if (one.body !== undefined && got.body !== one.body) wrong.push('another body');
  for (const check of one.clientGets)
    if (!THEIRS.has(check.name)) wrong.push(...failed('the client', check, got.fields.get(check.name)));
  if (seen !== undefined)
    for (const check of one.originSees) wrong.push(...failed('the origin', check, seen[check.name]?.toString()));
  return wrong;
}

function failed(who: string, { name, how, value }: Check, found: string | undefined): string[] {
  const holds = found === undefined ? how === 'absent' : compare(how, found, value);
  return holds ? [] : [`${who} gets ${name}: ${found}, expected ${how} ${value}`];
}

function compare(how: string, found: string, value: string): boolean {
  switch (how) {
    case 'equal':
      return found === value;
    case 'contains':
      return found.includes(value);
    case 'prefix':
      return found.startsWith(value);
    case 'suffix':
      return found.endsWith(value);
    default:
      return how === 'present';
  }
}
