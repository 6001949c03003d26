/** Previews what a cache would do with a request now, without any side effect. Cold; for explain. */
import type { Exchange } from '../../http/exchange.ts';
import type { CachePolicyPlan } from '../../plan/types/cache.ts';
import { compileConditions } from './conditions.ts';
import type { HttpCache } from '../store/http-cache.ts';
import { directivesOfRequest } from '../rules/evaluate-response.ts';
import { FRESH, permitsCredentials, reuse, STALE_WHILE_REVALIDATE, VALIDATE } from '../rules/reuse.ts';
import { whyPassed } from './cache-handler.ts';
import type { StoredResponse } from '../store/stored-response.ts';
import { findOther } from './cache-request.ts';

export interface Peeked {
  /** `asked`: the cache's contents are not available. */
  readonly verdict: 'answers' | 'passes' | 'asked';
  readonly why: string;
}

/** `cache`: null if its contents are not available. `route`: the policy's route. `now`: monotonic ms. */
export function peek(
  plan: CachePolicyPlan,
  x: Exchange,
  route: string,
  upgrade: boolean,
  cache: HttpCache | null,
  now: number,
): Peeked {
  const passed = whyPassed(x, upgrade, compileConditions(plan.bypass));
  if (passed !== '') return { verdict: 'passes', why: WHY_PASSED[passed] };
  if (cache === null) return { verdict: 'asked', why: `asks the cache ${plan.cache}` };
  const { store } = cache;
  const key = cache.key.of(x);
  const scope = cache.key.scope(route, x);
  const match = store.peek(key, scope, x.fields) ?? findOther(store, x, key, scope);
  const found = match !== null && permitsCredentials(match.head, x.fields) ? match : null;
  const request = directivesOfRequest(x.fields, plan);
  if (found !== null) {
    const verdict = reuse(found.head, request, now);
    if (verdict !== VALIDATE)
      return { verdict: 'answers', why: `${plan.cache} has it, ${sayReuse(verdict, found, now)}` };
  }
  if (request.onlyIfCached)
    return { verdict: 'answers', why: `${plan.cache} has nothing for it, and nothing else is wanted: 504` };
  if (match !== null && found === null)
    return { verdict: 'passes', why: `${plan.cache} has it, but not for requests with Authorization` };
  if (found !== null)
    return { verdict: 'passes', why: `${plan.cache} has it, ${sayAge(found, now)}, and asks whether it is still good` };
  const others = store.all(key).length;
  const other = others === 0 ? '' : `, though ${others} for others`;
  const fetched = cache.fetchesFor(key).length === 0 ? '' : '; it is being fetched for another request';
  return { verdict: 'passes', why: `${plan.cache} has nothing for it${other}${fetched}` };
}

const WHY_PASSED = {
  method: 'only GET and HEAD are looked for',
  bypass: 'not looked for: by a rule, or for its body, a condition for the origin or an upgrade',
} as const;

function sayReuse(verdict: number, found: StoredResponse, now: number): string {
  const age = sayAge(found, now);
  if (verdict === FRESH) return age;
  return verdict === STALE_WHILE_REVALIDATE
    ? `${age}, and revalidates it meanwhile`
    : `${age}, which the request permits`;
}

function sayAge(found: StoredResponse, now: number): string {
  const left = (found.freshUntil - now) / 1000;
  const age = `${found.ageAt(now)} s old`;
  return left > 0 ? `${age}, fresh for ${Math.ceil(left)} s` : `${age}, stale for ${Math.floor(-left)} s`;
}
