/**
 * Random traffic at a gateway's cache, held against what RFC 9111 allows.
 *
 *     node tests/conformance/cache-model.ts --courses 20000
 *
 * `--seed N` repeats a run. Ends with 1, and the shortest scenario found, if something was answered that may not be.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { gatewaySubject } from './cache-cases/subject.ts';
import { ModelOrigin } from './cache-model/origin.ts';
import { Stage } from './cache-model/play.ts';
import { scenario } from './cache-model/traffic.ts';

const { values } = parseArgs({
  options: { courses: { type: 'string', default: '2000' }, seed: { type: 'string', default: `${Date.now() % 1e9}` } },
});

await using origin = await ModelOrigin.open();
await using subject = await gatewaySubject(origin.port);
const stage = new Stage(origin, subject);
const property = fc.asyncProperty(scenario, async (one) => {
  const wrong = await stage.play(one);
  if (wrong !== null) throw new Error(wrong);
});
const { failed, counterexample, errorInstance, numRuns, seed } = await fc.check(property, {
  numRuns: Number(values.courses),
  seed: Number(values.seed),
});
stage.end();
const { asked, reused } = stage.seen;
console.log(`seed ${seed}: ${numRuns} courses, ${asked} answers of the origin, ${reused} reused`);
if (failed) console.log(`${JSON.stringify(counterexample?.[0])}\n${String(errorInstance)}`);
process.exitCode = failed ? 1 : 0;
