/**
 * The table of cases in tests/corpora/cache against a cache.
 *
 *     node tests/conformance/cache-cases.ts --cache prozy
 *
 * `--cache nginx`, `varnish` or `haproxy` judges Debian's, without the cases that need its clock. `--chapter NAME` plays one
 * chapter, `--json FILE` writes the verdicts. Ends with 1 if a case is missed.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { peerCache } from '../support/peer-caches.ts';
import { type CaseVerdict, type Outcome, playCases, type Subject } from './cache-cases/run.ts';
import { gatewaySubject } from './cache-cases/subject.ts';
import { TABLE } from './cache-cases/table.ts';

const { values } = parseArgs({
  options: {
    cache: { type: 'string', default: 'prozy' },
    chapter: { type: 'string' },
    json: { type: 'string' },
  },
});

async function open(originPort: number): Promise<Subject> {
  return values.cache === 'prozy' ? await gatewaySubject(originPort) : await peerCache(values.cache, originPort);
}

function tally(verdicts: readonly CaseVerdict[], kind: CaseVerdict['kind']): string {
  const played = verdicts.filter((one) => one.kind === kind && one.outcome !== 'unplayed');
  const count = (outcome: Outcome): number => played.filter((one) => one.outcome === outcome).length;
  const unproven = count('unproven') === 0 ? '' : ` (${count('unproven')} unproven)`;
  return `${kind} ${count('passed')}/${played.length}${unproven}`;
}

const chapters = TABLE.filter(({ title }) => values.chapter === undefined || title === values.chapter);
const verdicts = await playCases(chapters, open);
const missed = verdicts.filter(({ outcome }) => outcome === 'failed' || outcome === 'unproven');
for (const { chapter, name, rule, kind, outcome, wrong } of missed)
  console.log(`${kind} ${outcome} ${chapter} (${rule}) ${name}: ${wrong.join('; ')}`);
for (const { title } of chapters) {
  const own = verdicts.filter(({ chapter }) => chapter === title);
  console.log(`${title}: ${tally(own, 'must')}, ${tally(own, 'good')}`);
}
const left = verdicts.filter(({ outcome }) => outcome === 'unplayed').length;
const total = `${verdicts.length - left} cases, ${left} not played`;
console.log(`${values.cache}, ${total}: ${tally(verdicts, 'must')}, ${tally(verdicts, 'good')}`);
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(verdicts, null, 2));
process.exitCode = missed.length > 0 ? 1 : 0;
