/** An order to purge: its check, and the keys that its values select. Cold. */
import { parseAuthority } from '../../http/authority.ts';
import { encodePath, normalizePath, sentForms } from '../../http/path.ts';
import { asciiAuthority } from '../../kit/host-name.ts';
import { resolve, type Target } from '../rules/invalidation.ts';
import { CacheKey } from './key.ts';

export type PurgeBy = 'url' | 'prefix' | 'host' | 'tag' | 'all';

export interface PurgeOrder {
  readonly by: PurgeBy;
  /** A response matches any of them; empty for `all`. */
  readonly values: readonly string[];
  readonly soft: boolean;
}

/** The error in an order, in words; '': none. */
export function purgeProblem({ by, values }: PurgeOrder): string {
  for (const value of values) {
    const problem = PROBLEMS[by](value);
    if (problem !== '') return problem;
  }
  return '';
}

const ABSOLUTE = /^(?:https?:)?\/\//i;
/** A prefix has no query. */
const ANY_KEY = new CacheKey({ query: null, ignoreQuery: [], sortQuery: false, headers: [], cookies: [] });
const BASE: Target = { scheme: 'http', authority: '', path: '/', query: '' };

/**
 * The targets of a URL, in the form that requests for it have; without a scheme, for both http and https. A string is
 * an error message.
 */
function targetsOf(url: string): readonly Target[] | string {
  if (!ABSOLUTE.test(url)) return `${url} is no URL: it needs a host, as in http://host/path or //host/path`;
  if (url.includes('#')) return `${url} has a fragment, which no request has`;
  const target = resolve(encodeUrl(url), BASE);
  if (target === null || parseAuthority(target.authority) === null)
    return `${url} is no URL that a request could be for`;
  // The listeners' settings decide which of its forms is stored.
  const targets = [...sentForms(target.path)].map((path) => ({ ...target, path }));
  return url.startsWith('//') ? targets.flatMap((one) => [one, { ...one, scheme: 'https' as const }]) : targets;
}

/** Encodes a URL like a client: the host name in its `xn--` form, the rest percent-encoded. */
function encodeUrl(url: string): string {
  const [, scheme = '', authority = '', rest = ''] = /^((?:https?:)?\/\/)([^/?]*)(.*)$/is.exec(url) ?? [];
  return scheme + asciiAuthority(authority) + encodePath(rest);
}

/** The keys under which responses to requests for this URL are stored. */
export function cacheKeys(url: string, key: CacheKey): string[] {
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
    if (value.endsWith('*'))
      return `${value} is no prefix: * stands for itself; name ${value.replace(/\/?\*+$/, '') || '/'}, by whole segments`;
    if (value.startsWith('/') && !value.startsWith('//')) {
      return normalizePath(encodePath(value)) === null ? `${value} is no path that a request could have` : '';
    }
    const targets = targetsOf(value);
    return typeof targets === 'string' ? targets : '';
  },
  host: (value) =>
    value.includes('*') || parseAuthority(asciiAuthority(value)) === null
      ? `${value} is no host: name it as in example.com or example.com:8080`
      : '',
  tag: (value) =>
    value === '' || value !== value.trim() || value.includes(',') ? `"${value}" is no tag: give each by itself` : '',
  all: (value) => (value === '' ? '' : 'all has no value'),
};

export type Matcher = (key: string) => boolean;

/** For keys from CacheKey. */
export function matcherOf(by: 'prefix' | 'host', values: readonly string[]): Matcher {
  const matchers = values.map(by === 'host' ? hostMatcher : prefixMatcher);
  return (key) => matchers.some((matches) => matches(key));
}

/** The host on all ports, or on the given one. */
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

/** A trailing dot makes a name absolute, but not a different name. */
function withoutDot(host: string): string {
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** Matches whole segments, like a route's prefix: `/v1` matches `/v1` and `/v1/x`, but not `/v10`. */
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
