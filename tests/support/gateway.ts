/** A real gateway on free ports from a config, which must leave nothing behind when it is disposed of. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type RunningGateway, startGateway, type StartOptions } from '../../src/admin/start.ts';
import { systemClock } from '../../src/kit/clock.ts';
import { decoderMemory, encoderMemory } from '../../src/http/coding/memory.ts';
import { buffersInUse } from '../../src/net/read-buffers.ts';
import { Log } from '../../src/observe/log.ts';
import type { Gateway } from '../../src/runtime/gateway.ts';
import { EndpointState } from '../../src/upstream/endpoint.ts';
import { PoolLoad } from '../../src/upstream/load.ts';

export interface TestGateway extends AsyncDisposable {
  readonly running: RunningGateway;
  readonly file: string;
  readonly logged: Record<string, unknown>[];
  port(listener?: string): number;
  adminPort(): number;
  /** Writes a new config over the file at once, and waits until it is in effect or refused. */
  edit(config: object | string): Promise<void>;
}

/** Strategies that take turns begin with the first, unless `options` say otherwise. */
export async function testGateway(config: object | string, options: StartOptions = {}): Promise<TestGateway> {
  const directory = mkdtempSync(join(tmpdir(), 'prozy-test-'));
  const file = join(directory, typeof config === 'string' ? 'gateway.yaml' : 'gateway.json');
  const text = (one: object | string): string => (typeof one === 'string' ? one : JSON.stringify(one));
  writeFileSync(file, text(config));
  const logged: Record<string, unknown>[] = [];
  const log = new Log(systemClock, (line) => logged.push(JSON.parse(line) as Record<string, unknown>));
  const running = await startGateway(file, { log, firstTurns: () => 0, ...options });
  const { gateway, reloader } = running;
  const port = (address: { port: number } | null): number => address?.port ?? 0;
  return {
    running,
    file,
    logged,
    port: (listener = 'web') => port(gateway.addressOf(listener)),
    adminPort: () => port(gateway.adminAddress),
    async edit(next) {
      const before = reloader.reloads.last;
      writeFileSync(`${file}.new`, text(next));
      renameSync(`${file}.new`, file);
      await until(() => reloader.reloads.last !== before, 'the edit has been taken up');
    },
    async [Symbol.asyncDispose]() {
      const loads = poolLoads(gateway);
      await running.close(0);
      rmSync(directory, { recursive: true, force: true });
      expect({
        timed: gateway.timed,
        carryover: gateway.registry.size,
        generations: gateway.snapshots.length,
        buffers: buffersInUse(),
        coders: encoderMemory.coders + decoderMemory.coders,
        coderMemory: encoderMemory.used + decoderMemory.used,
      }).toEqual({ timed: 0, carryover: 0, generations: 0, buffers: 0, coders: 0, coderMemory: 0 });
      for (const load of loads) expect(loadOf(load)).toEqual(NOTHING_UNDER_WAY);
    },
  };
}

/** What every generation's pools have under way. */
function poolLoads(gateway: Gateway): PoolLoad[] {
  const claims = gateway.snapshots.flatMap(({ plan }) => plan.pools.map(({ claim }) => claim));
  const loads = new Set(claims.map((claim) => gateway.registry.peek(claim)));
  return [...loads].filter((load) => load instanceof PoolLoad);
}

const NOTHING_UNDER_WAY = { active: 0, retries: 0, connections: 0, idle: 0, queue: 0, endpoints: 0 };

function loadOf({ active, retries, connections, idle, queue, endpoints }: PoolLoad): typeof NOTHING_UNDER_WAY {
  return { active, retries, connections, idle, queue: queue.length, endpoints: endpoints.size };
}

/** The load of one pool of the current config. */
export function poolLoad({ running: { gateway } }: TestGateway, pool: string): PoolLoad {
  const load = gateway.registry.peek(gateway.current!.plan.pools.find(({ name }) => name === pool)!.claim);
  if (load instanceof PoolLoad) return load;
  throw new Error(`no pool ${pool}`);
}

/** One endpoint of a pool, by its place in the current config. */
export function endpointOf({ running: { gateway } }: TestGateway, pool: string, index = 0): EndpointState {
  const plan = gateway.current!.plan.pools.find(({ name }) => name === pool)!;
  const state = gateway.registry.peek(plan.endpoints[index]!.claim);
  if (state instanceof EndpointState) return state;
  throw new Error(`no endpoint ${index} in ${pool}`);
}

/**
 * Resolves when the condition holds; fails, with what was waited for, if it does not within `patience` ms, which a busy machine may
 * need. `look` is done before each time that the condition is asked.
 */
export async function until(
  condition: () => boolean,
  what: string,
  look?: () => Promise<void>,
  patience = 30_000,
): Promise<void> {
  const started = performance.now();
  await look?.();
  while (!condition()) {
    const waited = performance.now() - started;
    if (waited > patience) throw new Error(`waited in vain until ${what}`);
    // Whoever is waited for may need this processor.
    await new Promise((resolve) => (waited > 50 ? setTimeout(resolve, 2) : setImmediate(resolve)));
    await look?.();
  }
}

/** One http listener in front of one origin; `more` is merged over it. */
export function simpleConfig(originPort: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0' } },
    pools: { origin: { endpoints: [`127.0.0.1:${originPort}`] } },
    routes: [{ name: 'all', match: {}, pool: 'origin' }],
    ...more,
  };
}
