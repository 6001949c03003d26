/**
 * Edits, rollbacks and kill -9 at every phase, then starts: `node tests/conformance/crashes.ts --courses 100 --steps 12 --seed 1`.
 *
 * After each step what serves, what the history says and what is held must be one of the things that docs/history.md allows.
 * Ends with 1 at the first course that does otherwise; its seed repeats it, but for the moment of each kill.
 */
import { parseArgs } from 'node:util';
import { crashRun, newTally } from './crashes/crash-run.ts';

const { values } = parseArgs({
  options: {
    courses: { type: 'string', default: '100' },
    steps: { type: 'string', default: '12' },
    seed: { type: 'string', default: '1' },
  },
});

const tally = newTally();
const first = Number(values.seed);
for (let seed = first; seed < first + Number(values.courses); seed++) {
  await crashRun(seed, Number(values.steps), tally);
  process.stderr.write('.');
}
console.log(`\n${JSON.stringify({ courses: Number(values.courses), ...tally }, null, 2)}`);
