/**
 * Feeds spoilt configs to a gateway under traffic: what is not valid must be refused, the old config must serve on, no
 * request may fail, and nothing may be left behind.
 *
 *     node tests/conformance/config-fuzz.ts --files 10000 --seed 1
 *
 * A third of the files is YAML, a third JSON, a third JSON5. `--format yaml --first N --files 1` looks at one file again.
 * Ends with 1 if anything was wrong. Needs Linux: it looks into /proc.
 */
import { parseArgs } from 'node:util';
import type { Format } from './config-fuzz/generate.ts';
import { fuzzConfigs, type FuzzResult } from './config-fuzz/run.ts';

const MIB = 1024 * 1024;
/** What the heap may hold more at the end than after a tenth of the files, when all garbage is collected. */
const HEAP_BOUND = 8 * MIB;

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    format: { type: 'string', default: 'yaml,json,json5' },
  },
});
const formats = values.format.split(',') as Format[];

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
let wrong = 0;

function report(format: Format, result: FuzzResult, ms: number): void {
  const { kinds, findings, requests, failures, slowestRequest, slowestVerdict, memory, rss, descriptors } = result;
  const count = [...kinds.values()].reduce((sum, { files }) => sum + files, 0);
  console.log(
    `\n${format}: ${count} files in ${(ms / 1000).toFixed(0)} s, ${result.watched} found by the watcher alone`,
  );
  for (const [kind, { files, refused, inEffect, leftOut }] of kinds) {
    const reasons = [...refused].map(([reason, n]) => `${n} × ${reason}`).join(', ');
    console.log(
      `  ${kind}: ${files}; refused ${reasons || 'none'}; in effect ${inEffect}; valid and left out ${leftOut}`,
    );
  }
  const failed = [...failures].map(([what, n]) => `${n} × ${what}`).join(', ');
  console.log(`  ${requests} requests, failed ${failed || 'none'}, the slowest ${slowestRequest.toFixed(0)} ms`);
  console.log(
    `  slowest verdict: file ${slowestVerdict.index}, ${slowestVerdict.kind}, ${slowestVerdict.ms.toFixed(0)} ms`,
  );
  console.log(
    `  heap ${mib(memory[0].heap)} → ${mib(memory[1].heap)} MiB, outside ${mib(memory[0].external)} → ${mib(memory[1].external)}`,
  );
  console.log(
    `  rss ${rss.slice(0, 2).map(mib).join(' → ')} MiB, at most ${mib(rss[2])}; descriptors ${descriptors.join(' → ')}`,
  );
  console.log(`  generations ${result.generations}, exit code ${result.code}`);
  const bad = [
    ...findings,
    ...(failures.size > 0 ? [`requests failed: ${failed}`] : []),
    ...(memory[1].heap - memory[0].heap > HEAP_BOUND ? ['the heap has grown'] : []),
    ...(descriptors[1] > descriptors[0] + 2 ? ['descriptors were lost'] : []),
    ...(result.code === 0 ? [] : [`the gateway ended with ${result.code}`]),
  ];
  for (const one of bad) console.log(`  WRONG: ${one}`);
  wrong += bad.length;
}

for (const format of formats) {
  const started = performance.now();
  const options = {
    format,
    files: Math.ceil(Number(values.files) / formats.length),
    seed: Number(values.seed),
    first: Number(values.first),
  };
  report(format, await fuzzConfigs(options), performance.now() - started);
}
console.log(wrong === 0 ? '\nnothing wrong' : `\n${wrong} times NOT as it must be`);
process.exitCode = wrong === 0 ? 0 : 1;
