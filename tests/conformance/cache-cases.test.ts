/** The table of cases after RFC 9111 in tests/corpora/cache: what it says of the gateway's cache, and that it can say no. */
import { expect, test } from 'vitest';
import { simpleConfig, testGateway } from '../support/gateway.ts';
import type { Case, Chapter } from './cache-cases/case.ts';
import { type CaseVerdict, playCases, type Subject } from './cache-cases/run.ts';
import { gatewaySubject } from './cache-cases/subject.ts';
import { TABLE } from './cache-cases/table.ts';

/** Cases that the gateway misses, as `chapter: name`, each with its reason. */
const MISSED: Readonly<Record<string, string>> = {
  'keys: variants that vary by different fields: the first fits':
    'the newest Vary is the one that selects: what another Vary had selected gives way to what is stored under it',
  'keys: a check with what the variants have':
    'a fetch for a variant that is not stored asks for the whole, and does not offer what other variants have (RFC 9111 §4.3.1, a may)',
  'authorization: what answers those without is for those with':
    'by default a request with credentials is answered only with what says that it may be (authorization: explicit)',
};

const titleOf = ({ chapter, name }: CaseVerdict): string => `${chapter}: ${name}`;

test('every case has its own name and is played', () => {
  const titles = TABLE.flatMap(({ title, cases }) => cases.map(({ name }) => `${title}: ${name}`));
  expect(titles.length).toBeGreaterThan(500);
  expect(titles.filter((one, index) => titles.indexOf(one) !== index)).toEqual([]);
});

test('the gateway passes every case but those known', { timeout: 60_000 }, async () => {
  const verdicts = await playCases(TABLE, gatewaySubject);
  const missed = verdicts.filter(({ outcome }) => outcome !== 'passed');
  const told = missed.map((one) => `${titleOf(one)} (${one.rule}): ${one.wrong.join('; ')}`);
  expect(told.filter((_, index) => MISSED[titleOf(missed[index]!)] === undefined)).toEqual([]);
  expect(Object.keys(MISSED).filter((title) => missed.every((one) => titleOf(one) !== title))).toEqual([]);
});

test('a gateway without a cache breaks no rule, and does nothing that is good', { timeout: 60_000 }, async () => {
  // What it would say of itself is left out: it has nothing to say.
  const chapters = TABLE.filter(({ title }) => title !== 'cache-status');
  const verdicts = await playCases(chapters, relay);
  expect(verdicts.filter(({ kind, outcome }) => kind === 'must' && outcome === 'failed')).toEqual([]);
  const good = verdicts.filter(({ kind }) => kind === 'good');
  expect(good.filter(({ outcome }) => outcome === 'passed').length).toBeLessThan(good.length / 5);
});

test('a rule that is broken is seen as broken', async () => {
  const steps: Case['steps'] = [
    { how: 'asked', origin: { fields: { etag: '"a"' } } },
    { how: 'asked', origin: { fields: { etag: '"a"', 'x-hop': '1' } }, lacks: ['x-hop'] },
  ];
  const chapter: Chapter = {
    title: 'broken',
    cases: [{ name: 'a field that should not be', rule: '3.1', kind: 'must', steps }],
  };
  const [verdict] = await playCases([chapter], relay);
  expect(verdict).toMatchObject({ outcome: 'failed', wrong: ['step 2: the client gets x-hop: 1'] });
});

async function relay(originPort: number): Promise<Subject> {
  const gateway = await testGateway(simpleConfig(originPort));
  return { port: gateway.port(), advance: () => {}, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}
