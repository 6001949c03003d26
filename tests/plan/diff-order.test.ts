/** What is said of routes that come, go and move, against requests that are routed before and after. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Exchange } from '../../src/http/exchange.ts';
import { diffPlans } from '../../src/plan/diff.ts';
import type { OrderChange } from '../../src/plan/diff/changes.ts';
import type { MatchPlan } from '../../src/plan/types/match.ts';
import type { Plan, RoutePlan } from '../../src/plan/types.ts';
import { matches, matchPlan, request } from '../proxy/random-routes.ts';
import { planOf } from './plan-of.ts';

const EMPTY = planOf({});

function route(match: MatchPlan, i: number): RoutePlan {
  const action = { type: 'respond' as const, status: 200 + i, headers: [], body: '' };
  return {
    name: `r${i}`,
    listeners: null,
    match,
    policies: [],
    action,
    mirror: null,
    mapBack: true,
    timeouts: null,
    limits: null,
    retries: null,
    drain: null,
  };
}

function winner(routes: readonly RoutePlan[], x: Exchange): string | null {
  return routes.find(({ match }) => matches(match, x))?.name ?? null;
}

function orders(before: readonly RoutePlan[], after: readonly RoutePlan[]): Map<string, OrderChange> {
  const planned = (routes: readonly RoutePlan[]): Plan => ({ ...EMPTY, routes });
  const { changes } = diffPlans(planned(before), planned(after));
  return new Map(changes.flatMap(({ name, order }) => (order === null ? [] : [[name, order] as const])));
}

const matchesOf = fc.array(matchPlan, { minLength: 2, maxLength: 6 });
const requests = fc.array(request, { minLength: 20, maxLength: 40 });

let seen = 0;

/** Whoever gets a request in place of another is named by one of the two. */
function hold(before: readonly RoutePlan[], after: readonly RoutePlan[], asked: readonly Exchange[]): void {
  const told = orders(before, after);
  for (const x of asked) {
    const [old, now] = [winner(before, x), winner(after, x)];
    if (old === now) continue;
    seen++;
    const taken = now !== null && old !== null && told.get(now)?.takes_from.includes(old) === true;
    const given = old !== null && now !== null && told.get(old)?.gives_to.includes(now) === true;
    const lost = old !== null && now === null && told.get(old)?.unrouted === true;
    const found = old === null && now !== null && told.get(now) !== undefined;
    expect([old, now, taken || given || lost || found]).toEqual([old, now, true]);
  }
  for (const { effect, takes_from: takes, gives_to: gives, unrouted } of told.values())
    expect(effect).toBe(takes.length + gives.length > 0 || unrouted ? 'some' : 'none');
}

test('routes in another order', () => {
  seen = 0;
  fc.assert(
    fc.property(matchesOf, fc.infiniteStream(fc.nat()), requests, (list, chance, asked) => {
      const before = list.map(route);
      const after = before
        .map((one) => [chance.next().value as number, one] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, one]) => one);
      hold(before, after, asked);
    }),
    { numRuns: 400 },
  );
  expect(seen).toBeGreaterThan(100);
});

test('one route that comes, goes, or has other conditions', () => {
  seen = 0;
  fc.assert(
    fc.property(matchesOf, matchPlan, fc.nat(), requests, (list, other, number, asked) => {
      const all = list.map(route);
      const i = number % all.length;
      const without = all.toSpliced(i, 1);
      const rematched = all.with(i, { ...all[i]!, match: other });
      hold(all, without, asked);
      hold(without, all, asked);
      hold(all, rematched, asked);
    }),
    { numRuns: 400 },
  );
  expect(seen).toBeGreaterThan(100);
});
