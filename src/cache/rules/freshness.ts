/**
 * How long a response is fresh, and its age when it was received (RFC 9111 §4.2). Hot, once per stored response.
 */
import type { Fields } from '../../http/fields.ts';
import { deltaSeconds, MAX_SECONDS } from './directive-reader.ts';
import type { ResponseDirectives } from './directives.ts';
import { parseHttpDate } from './http-date.ts';

/** All in seconds; -1: none. */
export interface FreshnessRules {
  /** Used if neither the response nor the heuristic gives a lifetime. */
  readonly defaultTtl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** The part of the time since Last-Modified: 0.1. */
  readonly heuristicFraction: number;
  readonly heuristicMax: number;
}

/** Heuristically cacheable statuses (RFC 9110 §15.1). */
const HEURISTICALLY_CACHEABLE = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]);

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTICALLY_CACHEABLE.has(status);
}

/**
 * The freshness lifetime in seconds; 0: stale at once. `targeted`: the directives are those of CDN-Cache-Control.
 * `receivedAt`: wall-clock ms. `heuristic`: Last-Modified may give it although the response is not `public`.
 */
export function freshnessLifetime(
  status: number,
  fields: Fields,
  directives: ResponseDirectives,
  targeted: boolean,
  receivedAt: number,
  rules: FreshnessRules,
  heuristic = true,
): number {
  let lifetime = explicitLifetime(fields, directives, targeted, receivedAt);
  if (lifetime < 0) {
    if (!directives.public && !isHeuristicallyCacheable(status)) return 0;
    if (heuristic || directives.public) lifetime = heuristicLifetime(fields, receivedAt, rules);
    if (lifetime < 0) lifetime = rules.defaultTtl;
    if (lifetime < 0) return 0;
  }
  if (lifetime < rules.minTtl) lifetime = rules.minTtl;
  return rules.maxTtl >= 0 && lifetime > rules.maxTtl ? rules.maxTtl : lifetime;
}

/** The explicit lifetime (§4.2.1), or -1. */
export function explicitLifetime(
  fields: Fields,
  directives: ResponseDirectives,
  targeted: boolean,
  receivedAt: number,
): number {
  if (directives.sMaxage >= 0) return directives.sMaxage;
  if (directives.maxAge >= 0) return directives.maxAge;
  // RFC 9213 §2.2: with a targeted field, Expires is ignored.
  if (targeted) return -1;
  const expires = fields.get('expires');
  if (expires === undefined) return -1;
  const until = parseHttpDate(expires, receivedAt);
  // An invalid date, especially "0", counts as in the past (§5.3). Two lines make an invalid date, so the response is
  // stale (§4.2.1).
  if (Number.isNaN(until)) return 0;
  return seconds(until - dateOf(fields, receivedAt));
}

/** §4.2.2: a fraction of the time since the last modification, or -1. */
function heuristicLifetime(fields: Fields, receivedAt: number, rules: FreshnessRules): number {
  const lastModified = fields.get('last-modified');
  if (lastModified === undefined) return -1;
  const unchangedFor = dateOf(fields, receivedAt) - parseHttpDate(lastModified, receivedAt);
  // The date is invalid, or in the future.
  if (!(unchangedFor >= 0)) return -1;
  const lifetime = seconds(unchangedFor * rules.heuristicFraction);
  return rules.heuristicMax >= 0 && lifetime > rules.heuristicMax ? rules.heuristicMax : lifetime;
}

/** corrected_initial_age (§4.2.3): seconds, with a fraction. */
export function initialAge(fields: Fields, requestedAt: number, receivedAt: number): number {
  const delay = Math.max(0, receivedAt - requestedAt) / 1000;
  // A Date has no fraction, so the time that it is compared with must have none either.
  const apparentAge = Math.floor(receivedAt / 1000) - dateOf(fields, receivedAt) / 1000;
  return Math.min(Math.max(apparentAge, ageValue(fields) + delay), MAX_SECONDS);
}

/** The Age field (§5.1): only the first member of the first line counts, and only if it is a number. */
function ageValue(fields: Fields): number {
  const text = fields.get('age');
  if (text === undefined) return 0;
  const comma = text.indexOf(',');
  return Math.max(0, deltaSeconds(comma < 0 ? text : text.slice(0, comma).trim()));
}

/** The response's Date; if it has none, the time of receipt (RFC 9110 §6.6.1). Wall-clock ms. */
export function dateOf(fields: Fields, receivedAt: number): number {
  const text = fields.get('date');
  if (text === undefined) return receivedAt;
  const date = parseHttpDate(text, receivedAt);
  return Number.isNaN(date) ? receivedAt : date;
}

function seconds(milliseconds: number): number {
  return Math.min(Math.max(0, Math.floor(milliseconds / 1000)), MAX_SECONDS);
}
