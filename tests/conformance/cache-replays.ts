/**
 * Replay files of Apache Traffic Server's caching tests against a cache.
 *
 *     node tests/conformance/cache-replays.ts --replays DIR --cache prozy
 *
 * DIR holds them: tests/gold_tests/cache/replay in a checkout of apache/trafficserver. Some expect what their settings,
 * which are shown, or their cache's habits bring about: this is to learn from, and ends with 0 unless nothing can be played.
 */
import { existsSync, globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { peerCache } from '../support/peer-caches.ts';
import { gatewaySubject } from './cache-cases/subject.ts';
import { playReplay } from './cache-replays/play.ts';
import { readReplay } from './cache-replays/replay.ts';

const { values } = parseArgs({
  options: {
    replays: { type: 'string', default: '' },
    cache: { type: 'string', default: 'prozy' },
    only: { type: 'string', default: '' },
  },
});
const folder = values.replays;

async function open(originPort: number): Promise<AsyncDisposable & { port: number }> {
  return values.cache === 'prozy' ? await gatewaySubject(originPort) : await peerCache(values.cache, originPort);
}

/** What a file says: a line for each transaction that fails. */
async function judge(file: string): Promise<{ lines: string[]; passed: number; of: number }> {
  const replay = readReplay(file);
  const name = relative(folder, file);
  if (replay === null) return { lines: [`${name}: more than plain HTTP/1`], passed: 0, of: 0 };
  const verdicts = await playReplay(replay, open);
  const missed = verdicts.filter(({ wrong }) => wrong.length > 0);
  const passed = verdicts.length - missed.length;
  const head = `${name}: ${passed}/${verdicts.length}${replay.settings === '' ? '' : `  [${replay.settings}]`}`;
  return {
    lines: [head, ...missed.map(({ key, wrong }) => `    ${key}: ${wrong.join('; ')}`)],
    passed,
    of: verdicts.length,
  };
}

const files = existsSync(folder)
  ? globSync(join(folder, '**/*.yaml'))
      .filter((file) => file.includes(values.only))
      .toSorted()
  : [];
// They wait for seconds, and know nothing of each other.
const judged = await Promise.all(files.map(judge));
for (const { lines } of judged) console.log(lines.join('\n'));
const sum = (which: 'passed' | 'of'): number => judged.reduce((all, one) => all + one[which], 0);
if (sum('of') === 0) console.error(`no replay files in ${folder === '' ? '(no --replays)' : folder}`);
else console.log(`${values.cache}, ${files.length} files: ${sum('passed')} of ${sum('of')} transactions`);
process.exitCode = sum('of') === 0 ? 2 : 0;
