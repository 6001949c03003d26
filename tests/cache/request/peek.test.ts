/** What explain says of a cache, to the second. */
import { expect, test } from 'vitest';
import { HttpCache } from '../../../src/cache/store/http-cache.ts';
import { peek } from '../../../src/cache/request/peek.ts';
import { StoredResponse } from '../../../src/cache/store/stored-response.ts';
import { Log } from '../../../src/observe/log.ts';
import { CacheMetrics } from '../../../src/observe/metrics.ts';
import { planOf } from '../../plan/plan-of.ts';
import { cachedConfig } from '../../support/cached.ts';
import { exchange } from '../../support/exchange.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { storedHead } from '../../support/stored.ts';

test('ages and what is left of them', () => {
  const plan = planOf(cachedConfig(1));
  const policy = plan.routes[0]!.policies[0]!;
  if (policy.type !== 'cache') throw new Error('it is the cache');
  const clock = new ManualClock();
  const cache = new HttpCache(plan.caches[0]!, clock, new CacheMetrics(), new Log(clock));
  const head = storedHead({ scope: 'all', bornAt: 1000, lifetime: 10, staleWhileRevalidate: 5 });
  cache.store.put('http://example.com/', new StoredResponse(head, Buffer.from('x'), null, 1, true));
  const at = (now: number, x = exchange()): string => peek(policy, x, 'all', false, cache, now).why;
  expect(at(1000)).toBe('pages has it, 0 s old, fresh for 10 s');
  expect(at(4200)).toBe('pages has it, 3 s old, fresh for 7 s');
  expect(at(10_999)).toBe('pages has it, 9 s old, fresh for 1 s');
  expect(at(11_000)).toBe('pages has it, 10 s old, stale for 0 s, and revalidates it meanwhile');
  expect(at(15_999)).toBe('pages has it, 14 s old, stale for 4 s, and revalidates it meanwhile');
  expect(at(16_000)).toBe('pages has it, 15 s old, stale for 5 s, and asks whether it is still good');
  cache.store.put(
    'http://example.com/v',
    new StoredResponse({ ...head, scope: 'other' }, Buffer.from('x'), null, 1, true),
  );
  expect(at(1000, exchange({ path: '/v' }))).toBe('pages has nothing for it, though 1 for others');
  expect(at(1000, exchange({ method: 'DELETE' }))).toBe('only GET and HEAD are looked for');
});
