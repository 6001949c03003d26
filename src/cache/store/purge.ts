/**
 * What an operator takes back: stored responses by URL, by the beginning of their path, by host, by tag, or all. Cold.
 *
 * Hard, they are gone; soft, they have gone stale, and are asked for anew or given as stale as ever that may be. What was
 * sent for before is not stored, so that nothing of what is taken back comes in again by the back door.
 */
import { parseAuthority } from '../../http/authority.ts';
import { encodePath, normalizePath, sentForms } from '../../http/path.ts';
import { asciiAuthority } from '../../kit/host-name.ts';
import { TimeSlicer } from '../../kit/time-slicing.ts';
import type { HttpCache } from './http-cache.ts';
import { resolve, type Target } from '../rules/invalidation.ts';
import { CacheKey } from './key.ts';
import type { StoredResponse } from './stored-response.ts';

export type PurgeBy = 'url' | 'prefix' | 'host' | 'tag' | 'all';

export interface PurgeOrder {
  readonly by: PurgeBy;
  /** Any of them; none for all. */
  readonly values: readonly string[];
  readonly soft: boolean;
}

export interface PurgeCounts {
  /** Stored responses: all variants of a URL count. */
  responses: number;
  /** Responses on their way that are not stored when they come. */
  fetches: number;
}

/** What is wrong with an order, in words; '': nothing. */
export function purgeProblem({ by, values }: PurgeOrder): string {
  for (const value of values) {
    const problem = PROBLEMS[by](value);
    if (problem !== '') return problem;
  }
  return '';
}

/** Does what is ordered, and lets the traffic go on meanwhile. The order has no problem. */
export async function purge(cache: HttpCache, order: PurgeOrder): Promise<PurgeCounts> {
  cache.purgeEpoch++;
  const { by } = order;
  // Within the call, and before memory: what is read from there meanwhile does not bring it back.
  purgeDisk(cache, order);
  const counts = by === 'tag' ? await purgeTags(cache, order) : await purgeKeys(cache, by, order);
  cache.metrics.purged += counts.responses;
  return counts;
}

function purgeDisk({ disk, key }: HttpCache, { by, values, soft }: PurgeOrder): void {
  if (disk === null) return;
  if (by === 'all') disk.purge(by, '', soft);
  else if (by !== 'url') for (const value of values) disk.purge(by, value, soft);
  else {
    for (const one of values.flatMap((value) => cacheKeys(value, key))) {
      if (soft) disk.purge('key', one, true);
      else disk.invalidate(one);
    }
  }
}

async function purgeTags(cache: HttpCache, { values, soft }: PurgeOrder): Promise<PurgeCounts> {
  const tags = new Set(values);
  const fetches = cache.fetches.filter((fetch) => fetch.outdateTagged(tags, !soft)).length;
  let responses = 0;
  for (const tag of tags) {
    const keys = cache.store.keysTagged(tag);
    responses += await take(cache, keys, soft, ({ head }) => head.tags.includes(tag));
  }
  return { responses, fetches };
}

async function purgeKeys(
  cache: HttpCache,
  by: Exclude<PurgeBy, 'tag'>,
  { values, soft }: PurgeOrder,
): Promise<PurgeCounts> {
  const { store } = cache;
  if (by === 'url') {
    const keys = new Set(values.flatMap((value) => cacheKeys(value, cache.key)));
    const fetches = outdate(cache, soft, (key) => keys.has(key));
    return { responses: await take(cache, keys, soft, everything), fetches };
  }
  const matches = by === 'all' ? everything : matcherOf(by, values);
  const fetches = outdate(cache, soft, matches);
  if (by === 'all' && !soft) return { responses: store.clear(), fetches };
  return { responses: await take(cache, store.keys(), soft, everything, matches), fetches };
}

const everything = (): boolean => true;

/** Those under keys that match are not stored. Answers how many these are. */
function outdate(cache: HttpCache, soft: boolean, matches: (key: string) => boolean): number {
  const meant = cache.fetches.filter(({ key }) => matches(key));
  for (const fetch of meant) fetch.outdate(!soft);
  return meant.length;
}

async function take(
  { store, clock }: HttpCache,
  keys: Iterable<string>,
  soft: boolean,
  isMeant: (one: StoredResponse) => boolean,
  matches: (key: string) => boolean = everything,
): Promise<number> {
  const now = clock.now();
  let count = 0;
  await new TimeSlicer(clock, true).each(keys, (key) => {
    if (matches(key)) count += soft ? store.makeStale(key, isMeant, now) : store.purge(key, isMeant);
  });
  return count;
}

// === what is named

const ABSOLUTE = /^(?:https?:)?\/\//i;
/** A prefix has no query for it to judge. */
const ANY_KEY = new CacheKey({ query: null, ignoreQuery: [], sortQuery: false, headers: [], cookies: [] });
const BASE: Target = { scheme: 'http', authority: '', path: '/', query: '' };

/** What a URL names, in the form that requests for it have; without a scheme, that of http and of https. A text: what is wrong with it. */
function targetsOf(url: string): readonly Target[] | string {
  if (!ABSOLUTE.test(url)) return `${url} is no URL: it needs a host, as in http://host/path or //host/path`;
  if (url.includes('#')) return `${url} has a fragment, which no request has`;
  const target = resolve(encodeUrl(url), BASE);
  if (target === null || parseAuthority(target.authority) === null)
    return `${url} is no URL that a request could be for`;
  // Which of its forms is stored is for the listeners' settings to say.
  const targets = [...sentForms(target.path)].map((path) => ({ ...target, path }));
  return url.startsWith('//') ? targets.flatMap((one) => [one, { ...one, scheme: 'https' as const }]) : targets;
}

/** As clients send it: the name in its `xn--` form, the rest percent-encoded. */
function encodeUrl(url: string): string {
  const [, scheme = '', authority = '', rest = ''] = /^((?:https?:)?\/\/)([^/?]*)(.*)$/is.exec(url) ?? [];
  return scheme + asciiAuthority(authority) + encodePath(rest);
}

function cacheKeys(url: string, key: CacheKey): string[] {
  const targets = targetsOf(url);
  return typeof targets === 'string' ? [] : targets.flatMap((target) => key.ofTarget(target) ?? []);
}

const PROBLEMS: Readonly<Record<PurgeBy, (value: string) => string>> = {
  url: (value) => {
    const targets = targetsOf(value);
    return typeof targets === 'string' ? targets : '';
  },
  prefix: (value) => {
    if (/[?#]/.test(value)) return `${value} is no prefix: it ends with the path`;
    if (value.startsWith('/') && !value.startsWith('//')) {
      return normalizePath(encodePath(value)) === null ? `${value} is no path that a request could have` : '';
    }
    const targets = targetsOf(value);
    return typeof targets === 'string' ? targets : '';
  },
  host: (value) =>
    parseAuthority(asciiAuthority(value)) === null
      ? `${value} is no host: name it as in example.com or example.com:8080`
      : '',
  tag: (value) =>
    value === '' || value !== value.trim() || value.includes(',') ? `"${value}" is no tag: give each by itself` : '',
  all: (value) => (value === '' ? '' : 'all has no value'),
};

export type Matcher = (key: string) => boolean;

/** For keys as CacheKey makes them. */
export function matcherOf(by: 'prefix' | 'host', values: readonly string[]): Matcher {
  const matchers = values.map(by === 'host' ? hostMatcher : prefixMatcher);
  return (key) => matchers.some((matches) => matches(key));
}

/** The host on all its ports, or the one that is named. */
function hostMatcher(value: string): Matcher {
  const wanted = parseAuthority(asciiAuthority(value))!;
  const name = withoutDot(wanted.host);
  return (key) => {
    const start = key.indexOf('://') + 3;
    const { host, port } = parseAuthority(key.slice(start, pathStart(key)))!;
    if (withoutDot(host) !== name) return false;
    return wanted.port < 0 || wanted.port === (port >= 0 ? port : key.startsWith('https:') ? 443 : 80);
  };
}

/** The dot that makes a name absolute makes it no other name. */
function withoutDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** By whole segments, as a route's prefix: `/v1` is of `/v1` and `/v1/x`, not of `/v10`. */
function prefixMatcher(value: string): Matcher {
  if (value.startsWith('/') && !value.startsWith('//')) {
    const paths = [...sentForms(encodePath(value))];
    return (key) => paths.some((path) => isUnder(key, path, pathStart(key)));
  }
  const prefixes = cacheKeys(value, ANY_KEY);
  return (key) => prefixes.some((prefix) => isUnder(key, prefix, 0));
}

function pathStart(key: string): number {
  return key.indexOf('/', key.indexOf('://') + 3);
}

function isUnder(key: string, prefix: string, at: number): boolean {
  if (!key.startsWith(prefix, at)) return false;
  const next = key[at + prefix.length];
  return prefix.endsWith('/') || next === undefined || next === '/' || next === '?';
}
