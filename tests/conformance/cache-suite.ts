/**
 * The outside suite of cache tests against a gateway, scored by its own rules.
 *
 *     node tests/conformance/cache-suite.ts --suite DIR --cache prozy
 *
 * `--suite` is a checkout of http-tests/cache-tests with undici installed; without it, the edition pinned in package.json
 * is played. The cache has the settings of cache-suite/config.ts, or none with `--defaults`. `--cache nginx`, `varnish` or `haproxy` judges Debian's; `--id ID` plays one test and shows its messages;
 * `--json FILE` writes the verdicts. Ends with 1 if a required test is missed that cache-suite/missed.json does not name.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { testGateway } from '../support/gateway.ts';
import { peerCache } from '../support/peer-caches.ts';
import { cacheConfig, SUITE_SETTINGS } from './cache-suite/config.ts';
import { type Edition, editionIn, KINDS, PINNED } from './cache-suite/edition.ts';
import { MISSED } from './cache-suite/missed.ts';
import { play } from './cache-suite/play.ts';
import { describeScore, judge, missedOf, scoreOf } from './cache-suite/score.ts';

const { values } = parseArgs({
  options: {
    suite: { type: 'string', default: PINNED },
    cache: { type: 'string', default: 'prozy' },
    id: { type: 'string' },
    json: { type: 'string' },
    defaults: { type: 'boolean', default: false },
    'at-once': { type: 'string', default: '1000' },
  },
});

async function openCache(originPort: number): Promise<AsyncDisposable & { port: number }> {
  if (values.cache !== 'prozy') return await peerCache(values.cache, originPort);
  const gateway = await testGateway(cacheConfig(originPort, {}, values.defaults ? {} : SUITE_SETTINGS));
  return { port: gateway.port(), [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

/** One test by itself is judged without what it depends on. */
function narrowed(edition: Edition): Edition {
  if (values.id === undefined) return edition;
  const tests = edition.tests.filter(({ id }) => id === values.id).map((test) => ({ ...test, needs: [] }));
  if (tests.length === 0) throw new Error(`no test ${values.id}`);
  return { ...edition, tests };
}

async function main(): Promise<number> {
  const edition = narrowed(await editionIn(values.suite));
  await using stack = new AsyncDisposableStack();
  const open = async (originPort: number): Promise<{ port: number }> => stack.use(await openCache(originPort));
  const only = values.id === undefined ? null : [values.id];
  const options = { atOnce: Number(values['at-once']), only, shown: only !== null };
  const { results, said } = await play(edition, open, options);
  const verdicts = judge(edition, results);
  if (values.id !== undefined) console.log(said);
  for (const kind of KINDS)
    for (const { id, outcome, why } of missedOf(verdicts, [kind])) console.log(`${kind} ${id}: ${outcome}: ${why}`);
  const score = scoreOf(verdicts);
  console.log(`${values.cache}, ${verdicts.length} tests: ${describeScore(score)}`);
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(verdicts, null, 2));
  return missedOf(verdicts, ['required']).every(({ id }) => id in MISSED) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
