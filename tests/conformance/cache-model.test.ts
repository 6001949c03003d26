/** Random traffic at the gateway's cache: what it answers is always something that RFC 9111 allows. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Subject } from './cache-cases/run.ts';
import { gatewaySubject } from './cache-cases/subject.ts';
import { ModelOrigin } from './cache-model/origin.ts';
import { Stage } from './cache-model/play.ts';
import { scenario } from './cache-model/traffic.ts';
import { CarelessCache } from './cache-model/careless-cache.ts';

/** A longer run, with other scenarios: node tests/conformance/cache-model.ts. */
const RUNS = { numRuns: 120, seed: 9111 };

test('the gateway answers nothing that it may not', { timeout: 120_000 }, async () => {
  await using origin = await ModelOrigin.open();
  await using subject = await gatewaySubject(origin.port);
  const stage = new Stage(origin, subject);
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      expect(await stage.play(one)).toBeNull();
    }),
    RUNS,
  );
  stage.end();
  expect(stage.seen.reused).toBeGreaterThan(100);
});

test('a cache that takes no care is found out', { timeout: 60_000 }, async () => {
  await using origin = await ModelOrigin.open();
  await using subject: Subject = await CarelessCache.open(origin.port);
  const stage = new Stage(origin, subject);
  const found = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scenario, async (one) => {
      const wrong = await stage.play(one);
      for (const kind of wrong?.split(': ').slice(1).join(': ').split('; ') ?? [])
        found.add(kind.replaceAll(/[\d.]+/g, 'N'));
    }),
    { numRuns: 60, seed: 9111 },
  );
  stage.end();
  expect([...found]).toEqual(
    expect.arrayContaining([
      'an answer of another resource',
      'what answered credentials is reused',
      'no-store is reused',
      'another variant is reused',
    ]),
  );
});
