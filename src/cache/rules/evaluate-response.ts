/** Evaluates a response: whether it may be stored, for how long, and with which head. Hot, once per fetch. */
import type { Exchange } from '../../http/exchange.ts';
import { FieldList, type FieldPair } from '../../http/field-list.ts';
import type { Fields } from '../../http/fields.ts';
import type { Clock } from '../../kit/clock.ts';
import type { CachePolicyPlan } from '../../plan/types/cache.ts';
import {
  NO_REQUEST_DIRECTIVES,
  type RequestDirectives,
  requestDirectives,
  type ResponseDirectives,
  responseDirectives,
} from './directives.ts';
import { dateOf, freshnessLifetime, type FreshnessRules, initialAge } from './freshness.ts';
import { parseHttpDate } from './http-date.ts';
import { sharedByAuthority, unstorableFields, whyNotStored } from './storable.ts';
import { kept, type StoredHead } from '../store/stored-response.ts';
import { tagsOf } from './tags.ts';
import { targetedDirectives } from './targeted.ts';
import { variantKey, varyOf } from './vary.ts';

export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  readonly fields: Fields;
}

export interface Asked {
  readonly method: Exchange['method'];
  /** As received from the client. */
  readonly fields: Fields;
  /** Epoch ms. */
  readonly requestedAt: number;
  /** A config rule forbids storing the response. */
  readonly barred: boolean;
  /** The response to a POST is also that to a GET of the same URI. */
  readonly ownContentLocation?: boolean;
}

export interface Terms {
  readonly scope: string;
  readonly plan: CachePolicyPlan;
  readonly rules: FreshnessRules;
  readonly clock: Clock;
}

export interface EvaluatedResponse {
  readonly head: StoredHead;
  /** Why it may not be stored, or ''. */
  readonly why: string;
}

/** The response directives for this cache; a targeted field overrides the others (RFC 9213 §2.2). */
export function directivesOf(fields: Fields): { directives: ResponseDirectives; targeted: boolean } {
  const targeted = targetedDirectives(fields);
  if (targeted !== null) return { directives: targeted, targeted: true };
  return { directives: responseDirectives(fields.get('cache-control')), targeted: false };
}

/** The request directives, if the config honors them. */
export function directivesOfRequest(fields: Fields, { requestDirectives: asked }: CachePolicyPlan): RequestDirectives {
  if (asked === 'ignore') return NO_REQUEST_DIRECTIVES;
  return requestDirectives(fields.get('cache-control'), fields.get('pragma'));
}

export function evaluateResponse(
  { status, reason, fields }: ResponseParts,
  asked: Asked,
  terms: Terms,
): EvaluatedResponse {
  const { scope, plan, rules, clock } = terms;
  const { directives, targeted } = directivesOf(fields);
  const wall = clock.wall();
  const request = directivesOfRequest(asked.fields, plan);
  const why = asked.barred
    ? 'rule'
    : whyNotStored(
        asked.method,
        asked.fields,
        request,
        status,
        fields,
        directives,
        targeted,
        { setCookie: plan.setCookie === 'explicit', unauthorized: plan.unauthorized === 'explicit' },
        asked.ownContentLocation,
      );
  const varyNames = varyOf(fields) ?? [];
  const modified = fields.get('last-modified');
  // A page that was made for a request with cookies may be one user's own: its age says nothing of that.
  const heuristic = asked.fields.get('cookie') === undefined;
  const lifetime = freshnessLifetime(status, fields, directives, targeted, wall, rules, heuristic);
  const { staleIfError } = directives;
  let { staleWhileRevalidate } = directives;
  // The config's stale-while-revalidate applies only to responses that were fresh at first.
  if (staleWhileRevalidate < 0 && lifetime > 0) staleWhileRevalidate = plan.staleWhileRevalidate / 1000;
  const head: StoredHead = {
    scope,
    varyNames,
    variant: variantKey(varyNames, asked.fields),
    status,
    reason,
    fields: storedFields(fields, directives, status === 206),
    etag: fields.get('etag'),
    modified,
    lastModified: modified === undefined ? Number.NaN : parseHttpDate(modified, wall),
    date: dateOf(fields, wall),
    bornAt: clock.now() - initialAge(fields, asked.requestedAt, wall) * 1000,
    lifetime,
    neverFresh: lifetime <= 0,
    forAuthorized: plan.authorization === 'any' || sharedByAuthority(directives),
    noCache: directives.noCache,
    // RFC 9111 §5.2.2.10: s-maxage implies proxy-revalidate.
    mustRevalidate: directives.mustRevalidate || directives.proxyRevalidate || directives.sMaxage >= 0,
    staleWhileRevalidate,
    staleIfError,
    tags: tagsOf(fields),
  };
  return { head: why === '' ? kept(head) : head, why };
}

/**
 * The fields to store: without those for one connection, one client or one moment (RFC 9111 §3.1, §5.1, §5.2.2.4).
 */
function storedFields(fields: Fields, directives: ResponseDirectives, partial: boolean): FieldList {
  const unstorable = unstorableFields(fields, directives);
  const { noCacheFields } = directives;
  const stored: FieldPair[] = [];
  fields.forEach((name, value) => {
    const lower = name.toLowerCase();
    if (lower === 'age' || lower === 'content-length' || (partial && lower === 'content-range')) return;
    if (unstorable.includes(lower) || noCacheFields.includes(lower)) return;
    stored.push([name, value]);
  });
  return FieldList.of(stored);
}
