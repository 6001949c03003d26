/** Three endpoints under load, some of which fall ill and get well again: what clients see, and how soon it is known. */
import { type Fault, FaultOrigin } from '../../support/fault-origin.ts';
import { endpointOf, type TestGateway, simpleConfig, testGateway, until } from '../../support/gateway.ts';
import { Load } from './load.ts';

/** Those that break before the answer's body has begun: the gateway can repair them. */
export const REPAIRABLE: readonly Fault[] = [
  'refuse',
  'full_backlog',
  'black_hole',
  'reset_at_0',
  'reset_in_head',
  'close',
  'garbage',
  'slow_drip',
  'endless_head',
  'interim_flood',
  'idle_race',
  'status_503',
  'status_503_retry_after',
];
/** Those that show when the head has been passed on. */
export const BEYOND_REPAIR: readonly Fault[] = ['reset_in_body', 'half_chunks', 'length_too_short', 'length_too_long'];
/** Nobody's failure, or not to be told from a good answer: not a reason to take an endpoint out. */
const UNDETECTABLE: readonly Fault[] = ['idle_race', 'length_too_short'];

export interface ChaosRun {
  readonly fault: Fault;
  readonly ill: number;
  readonly requests: number;
  readonly faults: number;
  readonly failures: number;
  readonly seen: string;
  readonly slowest: number;
  /** Milliseconds until the first of the ill was taken out, and from the cure until all were well; null: never. */
  readonly detected: number | null;
  readonly recovered: number | null;
}

/** Bounds that make a failing attempt short, so that a run takes seconds. */
const poolOf = (attempt: string): object => ({
  timeouts: { connect: attempt },
  retries: { per_try_timeout: attempt, statuses: [503], attempts: 3 },
  health: { backoff: { first: '500ms', max: '1s' } },
});

function out(gateway: TestGateway, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) if (!endpointOf(gateway, 'origin', i).health.well) sum++;
  return sum;
}

/** `ms`: how long it is ill after it has been found out, or at most if it is not. `attempt`: what each may take. */
export async function runChaos(
  fault: Fault,
  ill: number,
  ms: number,
  clients = 8,
  attempt = '300ms',
): Promise<ChaosRun> {
  const origins = await Promise.all([FaultOrigin.open(), FaultOrigin.open(), FaultOrigin.open()]);
  const endpoints = origins.map(({ port }) => `127.0.0.1:${port}`);
  const gateway = await testGateway(simpleConfig(0, { pools: { origin: { endpoints, ...poolOf(attempt) } } }));
  const load = new Load(gateway.port(), clients, 2);
  await until(() => load.answered >= 100, 'all is well');
  const sick = origins.slice(0, ill);
  const started = performance.now();
  await Promise.all(sick.map((origin) => origin.become(fault)));
  let detected: number | null = null;
  if (!UNDETECTABLE.includes(fault)) {
    await until(() => out(gateway, ill) > 0, `${fault} is found out`);
    detected = performance.now() - started;
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  const cured = performance.now();
  await Promise.all(sick.map((origin) => origin.become(null)));
  await until(() => out(gateway, 3) === 0, 'all are well again');
  const recovered = detected === null ? null : performance.now() - cured;
  await load.stop();
  await gateway[Symbol.asyncDispose]();
  for (const origin of origins) await origin[Symbol.asyncDispose]();
  return {
    fault,
    ill,
    requests: load.answered,
    faults: sick.reduce((sum, { faults }) => sum + faults, 0),
    failures: load.failures,
    seen: [...load.seen]
      .filter(([what]) => what !== 'ok')
      .map(([what, n]) => `${n} × ${what}`)
      .join(', '),
    slowest: load.slowest,
    detected,
    recovered,
  };
}
