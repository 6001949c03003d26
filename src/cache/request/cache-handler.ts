/**
 * One cache policy of one route: answers fast-path hits, and creates a CacheRequest for everything else. Hot.
 *
 * A hit without special conditions is answered here, within the call.
 */
import type { Verdict, FilterContext } from '../../http/interception.ts';
import type { BodyFilter } from '../../http/body-filter.ts';
import type { Exchange } from '../../http/exchange.ts';
import { publicOrigin } from '../../http/identity.ts';
import type { Fields } from '../../http/fields.ts';
import { AUTHORIZATION, CACHE_CONTROL, IF_MATCH, IF_UNMODIFIED_SINCE, PRAGMA } from '../../http/known.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Deadlines } from '../../net/deadlines.ts';
import type { CachePolicyPlan } from '../../plan/types/cache.ts';
import { SPECIAL } from './conditional-reply.ts';
import { addCacheStatus, forwardText } from '../rules/cache-status.ts';
import { compileConditions, type Condition } from './conditions.ts';
import { NO_REQUEST_DIRECTIVES } from '../rules/directives.ts';
import type { FreshnessRules } from '../rules/freshness.ts';
import type { RequestCache } from './shared-fetch.ts';
import { hasOwnContentLocation, invalidatedTargets, invalidates, type Target } from '../rules/invalidation.ts';
import { PostResponseStorer } from './post-response-storer.ts';
import { directivesOfRequest, evaluateResponse } from '../rules/evaluate-response.ts';
import { CacheRequest } from './cache-request.ts';
import { noteResult } from './cache-result.ts';

/** Conditions that only the origin evaluates (RFC 9111 §4.3.2). */
const FOR_ORIGIN = (1 << IF_MATCH) | (1 << IF_UNMODIFIED_SINCE);
const SCHEMES = ['http', 'https'] as const;
const DIRECTIVES = (1 << CACHE_CONTROL) | (1 << PRAGMA);
/** A request with none of these fields can use any fresh response stored for it. */
const NOT_PLAIN = DIRECTIVES | SPECIAL | (1 << AUTHORIZATION);

export class CacheHandler {
  readonly cache: RequestCache;
  readonly plan: CachePolicyPlan;
  readonly rules: FreshnessRules;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly noStore: Condition;
  readonly #route: string;
  readonly #bypass: Condition;

  constructor(route: string, plan: CachePolicyPlan, cache: RequestCache, clock: Clock, deadlines: Deadlines) {
    this.#route = route;
    this.cache = cache;
    this.plan = plan;
    this.clock = clock;
    this.deadlines = deadlines;
    const { defaultTtl, minTtl, maxTtl } = plan;
    this.rules = {
      defaultTtl: defaultTtl === null ? -1 : Math.floor(defaultTtl / 1000),
      minTtl: Math.floor(minTtl / 1000),
      maxTtl: maxTtl === null ? -1 : Math.floor(maxTtl / 1000),
      heuristicFraction: 0.1,
      heuristicMax: 7 * 24 * 3600,
    };
    this.#bypass = compileConditions(plan.bypass);
    this.noStore = compileConditions(plan.noStore);
  }

  request(x: Exchange, context: FilterContext): Verdict {
    const { cache } = this;
    const { fields } = x;
    const why = whyPassed(x, context.upgrade, this.#bypass);
    if (why !== '') return this.#pass(x, why);
    const key = cache.key.of(x);
    const scope = cache.key.scope(this.#route, x);
    const stored = cache.store.find(key, scope, fields);
    const now = x.startedAt;
    if (stored !== null && now < stored.fastPathUntil && (fields.seen & NOT_PLAIN) === 0) {
      cache.metrics.hits++;
      noteResult(x, 'hit');
      if (x.method === 'GET') cache.metrics.bytesServed += stored.length;
      return cache.recent.of(stored, now);
    }
    const request = (fields.seen & DIRECTIVES) === 0 ? NO_REQUEST_DIRECTIVES : directivesOfRequest(fields, this.plan);
    return new CacheRequest(this, x, context, key, scope, request).begin(stored);
  }

  #pass(x: Exchange, why: 'method' | 'bypass'): undefined {
    this.cache.metrics.passed++;
    noteResult(x, why);
    return undefined;
  }

  /** Handles the response to a request that bypassed the cache. Returns the filter that stores it, if it is to be stored. */
  response(x: Exchange): BodyFilter | undefined {
    const { response, status } = x;
    if (response === null) return undefined;
    const { fields } = response;
    if (invalidates(x.method, status)) this.#invalidate(x, fields);
    const filter = x.method === 'POST' ? this.#keepPosted(x, fields) : undefined;
    const reason = x.noted('cache') === 'method' ? 'method' : 'bypass';
    if (this.plan.statusHeader) addCacheStatus(fields, forwardText({ reason }));
    return filter;
  }

  /** RFC 9110 §9.3.3: it may be the response to a GET as well. */
  #keepPosted(x: Exchange, fields: Fields): BodyFilter | undefined {
    const { cache, plan, rules, clock } = this;
    if (!hasOwnContentLocation(targetOf(x), fields)) return undefined;
    const barred = (this.#bypass?.(x) ?? false) || (this.noStore?.(x) ?? false);
    // The time of the upstream request is not known; the whole delay counts.
    const requestedAt = clock.wall() - (clock.now() - x.startedAt);
    const asked = { method: 'POST', fields: x.fields, requestedAt, barred, ownContentLocation: true };
    const scope = cache.key.scope(this.#route, x);
    const { head, why } = evaluateResponse({ status: x.status, reason: '', fields }, asked, {
      scope,
      plan,
      rules,
      clock,
    });
    const length = Number(fields.get('content-length') ?? -1);
    if (why !== '' || length > cache.maxEntrySize) return undefined;
    return new PostResponseStorer(cache, cache.key.of(x), head, length, plan.statusHeader);
  }

  /** RFC 9111 §4.4: an unsafe request makes stored responses invalid. */
  #invalidate(x: Exchange, fields: Fields): void {
    const { cache } = this;
    const target = targetOf(x);
    // Behind a proxy that terminates TLS, the origin's https URIs correspond to our http ones.
    for (const scheme of SCHEMES) {
      for (const one of invalidatedTargets({ ...target, scheme }, fields)) {
        const key = cache.key.ofTarget({ ...one, scheme: target.scheme });
        if (key !== null) cache.invalidate(key);
      }
    }
  }
}

/** Why a request bypasses the cache; '': it does not. */
export function whyPassed(x: Exchange, upgrade: boolean, bypass: Condition): '' | 'method' | 'bypass' {
  if (x.method !== 'GET' && x.method !== 'HEAD') return 'method';
  // The content of a GET has no defined meaning for a cache (RFC 9110 §9.3.1); an upgrade is no exchange.
  if (x.bodyLength !== 0 || upgrade || (x.fields.seen & FOR_ORIGIN) !== 0) return 'bypass';
  // The origin may interpret the received path differently from its normal form, which is in the key.
  if (x.receivedPath !== '') return 'bypass';
  return bypass !== null && bypass(x) ? 'bypass' : '';
}

function targetOf(x: Exchange): Target {
  return { ...publicOrigin(x), path: x.path, query: x.query };
}
