/**
 * Backends that fail in every way, under load: `node tests/conformance/chaos.ts --faults 10000`.
 *
 * First a run of each illness, with one and two of three endpoints ill; then `--faults` of each in a row at a
 * gateway that takes nothing out, after which nothing may be left. Ends with 1 if a client saw a failure that can be
 * repaired while one endpoint was ill, or if anything leaks.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BEYOND_REPAIR, runChaos, REPAIRABLE } from './chaos/illness.ts';
import { type Fault, FaultOrigin } from '../support/fault-origin.ts';
import { endpointOf, poolLoad, simpleConfig, testGateway } from '../support/gateway.ts';
import { Load } from './chaos/load.ts';

const { values } = parseArgs({
  options: { faults: { type: 'string', default: '10000' }, ill: { type: 'string', default: '500' } },
});

const ms = (time: number | null): string => (time === null ? '–' : `${Math.round(time)}`);
const row = (...cells: (string | number)[]): void => console.log(`| ${cells.join(' | ')} |`);
const pause = (time: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, time));

let wrong = 0;
row(
  'fault',
  'ill of 3',
  'requests',
  'spoilt',
  'failures',
  'clients saw',
  'slowest ms',
  'out after ms',
  'well after ms',
);
row(...Array.from({ length: 9 }, () => '---'));
for (const fault of [...REPAIRABLE, ...BEYOND_REPAIR]) {
  for (const ill of [1, 2]) {
    const run = await runChaos(fault, ill, Number(values.ill));
    if (ill === 1 && run.failures > 0 && REPAIRABLE.includes(fault)) wrong++;
    const { requests, faults, failures, seen, slowest, detected, recovered } = run;
    row(fault, ill, requests, faults, failures, seen, ms(slowest), ms(detected), ms(recovered));
  }
}

const MB = 1024 * 1024;
const fds = (): number => readdirSync('/proc/self/fd').length;
const rss = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().rss / MB;
};

/** What is left behind by so many faults, counted between a first tenth of them and all. */
async function leaks(fault: Fault, count: number): Promise<void> {
  const [ill, well] = await Promise.all([FaultOrigin.open(), FaultOrigin.open()]);
  const pool = {
    endpoints: [`127.0.0.1:${ill.port}`, `127.0.0.1:${well.port}`],
    timeouts: { connect: '100ms' },
    // Whatever fails is asked again: what is to be counted is failures.
    health: { passive: { failures: 0 }, panic: 100 },
    retries: { per_try_timeout: '100ms', statuses: [503], budget: { share: 100, min: 1000 } },
  };
  const gateway = await testGateway(simpleConfig(0, { pools: { origin: pool } }));
  const slow = ['full_backlog', 'black_hole', 'slow_drip', 'endless_head'].includes(fault);
  await ill.become(fault);
  const { metrics } = endpointOf(gateway, 'origin');
  const spoilt = (): number => ill.faults + metrics.connectErrors;
  const round = async (until: number): Promise<{ fds: number; rss: number }> => {
    const load = new Load(gateway.port(), slow ? 300 : 20, 0);
    while (spoilt() < until) await pause(20);
    await load.stop();
    // Only the connections to the gateway's endpoints and its own listener are left: the agent's take a moment to close.
    for (let i = 0; i < 200 && gateway.running.gateway.snapshots[0]!.leases > 0; i++) await pause(10);
    await pause(150);
    endpointOf(gateway, 'origin', 0).connections.retireIdle();
    endpointOf(gateway, 'origin', 1).connections.retireIdle();
    await pause(50);
    return { fds: fds(), rss: rss() };
  };
  const before = await round(count / 10);
  const after = await round(count);
  const { active, retries, connections, idle, queue } = poolLoad(gateway, 'origin');
  const counters = [active, retries, connections, idle, queue.length, gateway.running.gateway.timed];
  row(fault, spoilt(), before.fds, after.fds, before.rss.toFixed(0), after.rss.toFixed(0), counters.join(' '));
  if (after.fds > before.fds + 3 || counters.some((one) => one !== 0)) wrong++;
  await gateway[Symbol.asyncDispose]();
  await ill[Symbol.asyncDispose]();
  await well[Symbol.asyncDispose]();
}

console.log();
row('fault', 'times', 'fds before', 'after', 'RSS MB before', 'after', 'active retries connections idle queue timed');
row(...Array.from({ length: 7 }, () => '---'));
for (const fault of [...REPAIRABLE, ...BEYOND_REPAIR]) await leaks(fault, Number(values.faults));
console.log(wrong === 0 ? '\nnothing went wrong' : `\n${wrong} went wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
