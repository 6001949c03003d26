/**
 * Ten thousand of each kind of bad client against a gateway in a process of its own: the right status, a log line, and
 * nothing left behind.
 *
 *     node tests/conformance/bad-clients.ts --each 10000
 *
 * `--only name,name` runs some of the kinds, `--at-once N` sets how many there are at a time. Ends with 1 if anything was
 * wrong. PROZY_TRANSPORT=socket judges the other transport. Needs Linux: it looks into /proc.
 */
import { parseArgs } from 'node:util';
import { startGatewayProcess } from './bad-clients/gateway-process.ts';
import type { GatewayProcess } from './gateway-process.ts';
import { blamed, stillOpen } from './bad-clients/gauges.ts';
import type { Holdings } from './bad-clients/inside.ts';
import { KINDS } from './bad-clients/kinds.ts';
import { LogReader } from './bad-clients/log-reader.ts';
import { badClientsOrigin } from './bad-clients/origin.ts';
import { type Outcome, runKind, settled, type Target } from './bad-clients/run.ts';

const MIB = 1024 * 1024;
/** What the heap may hold more after a kind than before it, when all garbage is collected: 200 bytes a client. */
const HEAP_BOUND = 2 * MIB;
/** The same outside the heap: spare read buffers are kept. */
const EXTERNAL_BOUND = 8 * MIB;
/** What resident memory may have grown by in all, after the warm-up, and by at the height of a kind. */
const RSS_BOUND = 128 * MIB;
const PEAK_BOUND = 384 * MIB;

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '500' },
    only: { type: 'string', default: '' },
  },
});
const each = Number(values.each);
const atOnce = Number(values['at-once']);
const only = values.only === '' ? null : values.only.split(',');
const kinds = KINDS.filter(({ name }) => only === null || only.includes(name));

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
const list = (tally: ReadonlyMap<string, number>): string =>
  tally.size === 0 ? 'nothing' : [...tally].map(([word, n]) => `${n} × ${word}`).join(', ');

/** Nothing is open any more, connections kept for later included. */
async function quiet(gateway: GatewayProcess): Promise<string[]> {
  let open: string[] = [];
  await settled(async () => (open = await stillOpen(gateway.adminPort, null)).length === 0);
  return open;
}

/** What there is more of than before. */
function leftBehind(before: Holdings, after: Holdings): string[] {
  const [heap, external] = [after.heap - before.heap, after.external - before.external];
  return [
    ...(after.buffers > 0 ? [`${after.buffers} read buffers not given back`] : []),
    ...(heap > HEAP_BOUND ? [`${mib(heap)} MiB more heap`] : []),
    ...(external > EXTERNAL_BOUND ? [`${mib(external)} MiB more outside the heap`] : []),
  ];
}

async function judge(): Promise<boolean> {
  await using origin = await badClientsOrigin();
  await using gateway = await startGatewayProcess(origin.port);
  const log = new LogReader(gateway.logFile);
  const targetOf = (name: string): Target => ({
    scene: { port: gateway.ports.get(name)!, origin },
    adminPort: gateway.adminPort,
    log,
  });
  const started = performance.now();
  for (const kind of kinds) await runKind(kind, targetOf(kind.name), Math.min(each, atOnce), atOnce);
  await quiet(gateway);
  const first = await gateway.holdings();
  const firstDescriptors = gateway.descriptors();
  console.log(`warmed up in ${seconds(performance.now() - started)}: rss ${mib(first.rss)} MiB`);
  let fine = true;
  let clients = 0;
  let peak = 0;
  for (const kind of kinds) {
    const before = await gateway.holdings();
    const descriptors = gateway.descriptors();
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, gateway.rss())), 100);
    const outcome = await runKind(kind, targetOf(kind.name), each, atOnce);
    clearInterval(watch);
    const problems = [...outcome.problems];
    const open = await quiet(gateway);
    if (open.length > 0) problems.push(`still open: ${open.join(', ')}`);
    problems.push(...(await blamed(gateway.adminPort)).map((line) => `a backend is blamed: ${line}`));
    let after = before;
    let now = descriptors;
    let left: string[] = [];
    // V8 frees memory outside the heap in threads, which may have to wait for a processor.
    await settled(async () => {
      after = await gateway.holdings();
      now = gateway.descriptors();
      left = leftBehind(before, after);
      if (now > descriptors) left.push(`${now - descriptors} more descriptors`);
      return left.length === 0;
    });
    problems.push(...left);
    if (highest - first.rss > PEAK_BOUND) problems.push(`at its height ${mib(highest)} MiB`);
    peak = Math.max(peak, highest);
    clients += outcome.count;
    fine &&= problems.length === 0;
    print(outcome, problems, [
      `heap ${mib(before.heap)} → ${mib(after.heap)}`,
      `outside ${mib(before.external)} → ${mib(after.external)}`,
      `rss ${mib(before.rss)} → ${mib(after.rss)}, at most ${mib(highest)} MiB`,
      `descriptors ${descriptors} → ${now}`,
    ]);
  }
  const last = await gateway.holdings();
  const lastDescriptors = gateway.descriptors();
  console.log(`\n${clients} clients in ${seconds(performance.now() - started)}, ${kinds.length} kinds`);
  console.log(
    `heap ${mib(first.heap)} → ${mib(last.heap)} MiB, outside ${mib(first.external)} → ${mib(last.external)}`,
  );
  console.log(`rss ${mib(first.rss)} → ${mib(last.rss)} MiB, at most ${mib(peak)}`);
  console.log(`descriptors ${firstDescriptors} → ${lastDescriptors}, read buffers ${last.buffers}`);
  const { code, said } = await gateway.stop();
  const complaints = said.split('\n').filter((line) => line !== '' && !line.includes('"level":"info"'));
  const bad = [
    ...(last.rss - first.rss > RSS_BOUND ? ['resident memory has grown'] : []),
    ...(last.heap - first.heap > HEAP_BOUND ? ['the heap has grown'] : []),
    ...(lastDescriptors > firstDescriptors ? ['descriptors were lost'] : []),
    ...(code === 0 ? [] : [`the gateway ended with ${code}`]),
    ...complaints.map((line) => `the gateway said ${line}`),
  ];
  for (const line of bad) console.log(`WRONG: ${line}`);
  return fine && bad.length === 0;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function print({ kind, count, seen, logged, ms }: Outcome, problems: readonly string[], held: readonly string[]): void {
  console.log(`\n${kind}: ${count} in ${seconds(ms)}`);
  console.log(`  seen   ${list(seen)}`);
  console.log(`  logged ${list(logged)}`);
  console.log(`  ${held.join('; ')}`);
  for (const problem of problems) console.log(`  WRONG: ${problem}`);
}

const fine = await judge();
console.log(fine ? '\nnothing wrong' : '\nNOT as it must be');
process.exitCode = fine ? 0 : 1;
