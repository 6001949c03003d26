/**
 * Looks for messages that the gateway and llhttp read differently.
 *
 *     node tests/conformance/fuzz.ts --messages 1000000 --seed 1
 *
 * `--first N` begins with the Nth message of that seed. The messages run in a worker; this thread watches that none of
 * them takes for ever. Ends with 1 if anything was found.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { fuzz, type FuzzResult } from './fuzz/run.ts';

/** A message takes microseconds; one that takes this long hangs. */
const HANG_MS = 10_000;

interface Task {
  readonly messages: number;
  readonly seed: number;
  readonly first: number;
  /** One number: the message under way. */
  readonly progress: Int32Array;
}

if (isMainThread) await main();
else {
  // Only `main` starts this file as a worker.
  const { progress, ...options } = workerData as Task;
  parentPort?.postMessage(fuzz({ ...options, onMessage: (index) => void (progress[0] = index) }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      first: { type: 'string', default: '0' },
    },
  });
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const task: Task = {
    messages: Number(values.messages),
    seed: Number(values.seed),
    first: Number(values.first),
    progress,
  };
  const started = performance.now();
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  let last = -1;
  const watch = setInterval(() => {
    const now = progress[0]!;
    if (now === last) {
      console.log(`HANG at message ${now} of seed ${task.seed}: --seed ${task.seed} --first ${now} --messages 1`);
      process.exit(1);
    }
    last = now;
  }, HANG_MS);
  const result = await new Promise<FuzzResult>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  clearInterval(watch);
  report(result, task, performance.now() - started);
  process.exitCode = result.findings.length > 0 ? 1 : 0;
}

function report(result: FuzzResult, task: Task, ms: number): void {
  const { messages, accepted, requests, bodyBytes, refused, open, known, slowest, findings } = result;
  const list = (map: ReadonlyMap<unknown, number>): string =>
    [...map].map(([key, n]) => `${n} × ${String(key)}`).join(', ');
  console.log(`seed ${task.seed}, messages ${task.first} to ${task.first + messages - 1}, ${(ms / 1000).toFixed(1)} s`);
  console.log(`accepted ${accepted} messages with ${requests} requests and ${bodyBytes} bytes of bodies`);
  console.log(`refused ${list(new Map([...refused].toSorted(([a], [b]) => a - b)))}; not refused ${open}`);
  console.log(`more than llhttp, and rightly: ${known.size === 0 ? 'nothing' : list(known)}`);
  console.log(`slowest: message ${slowest.index}, ${slowest.ms.toFixed(1)} ms`);
  console.log(`disagreements: ${findings.length}`);
  for (const { index, kind, input, detail } of findings) {
    console.log(`\n  message ${index}: ${kind}\n    ${JSON.stringify(input)}\n    ${detail}`);
  }
}
