/**
 * Cache keys: the URL of a request, and the scope for its other properties. Hot.
 *
 * The key is the URL alone, with the parameters that count, so that everything stored for a URL can be found by it (RFC
 * 9111 §2, §4.4). Scheme, host and port are always part of it: those of the client's request, where a trusted proxy
 * reports them. The scope separates routes that share a cache, and values of the configured header fields and cookies:
 * a response fetched by one route is not served by another.
 */
import { parseAuthority } from '../../http/authority.ts';
import { cookiesOf } from '../../http/cookies.ts';
import type { Exchange } from '../../http/exchange.ts';
import { publicScheme } from '../../http/identity.ts';
import { decodeQuery } from '../../http/query.ts';
import type { CacheKeyPlan } from '../../plan/types/cache.ts';
import type { Target } from '../rules/invalidation.ts';

/** It occurs neither in a URL nor in a name. */
const SEPARATOR = '\n';

export class CacheKey {
  readonly #plan: CacheKeyPlan;
  readonly #wholeQuery: boolean;
  readonly #counted: ReadonlySet<string> | null;
  readonly #ignored: ReadonlySet<string>;
  readonly #scoped: boolean;

  constructor(plan: CacheKeyPlan) {
    this.#plan = plan;
    this.#counted = plan.query === null ? null : new Set(plan.query);
    this.#ignored = new Set(plan.ignoreQuery);
    this.#wholeQuery = plan.query === null && plan.ignoreQuery.length === 0 && !plan.sortQuery;
    this.#scoped = plan.headers.length > 0 || plan.cookies.length > 0;
  }

  of(x: Exchange): string {
    return urlKey(publicScheme(x) === 'https', authorityOf(x), x.path, this.#query(x.query));
  }

  /** The key of a given URI; null: its authority is invalid. */
  ofTarget({ scheme, authority, path, query }: Target): string | null {
    const parsed = parseAuthority(authority);
    if (parsed === null) return null;
    const secure = scheme === 'https';
    const own = parsed.port < 0 || parsed.port === (secure ? 443 : 80);
    return urlKey(secure, own ? parsed.host : `${parsed.host}:${parsed.port}`, path, this.#query(query));
  }

  /** The scope of a request. `route`: the name of the route. */
  scope(route: string, x: Exchange): string {
    if (!this.#scoped) return route;
    const { headers, cookies } = this.#plan;
    let scope = route;
    for (let i = 0; i < headers.length; i++) scope += part(x.fields.get(headers[i]!));
    for (let i = 0; i < cookies.length; i++) {
      const values = cookiesOf(x.fields, cookies[i]!);
      if (values.length < 2) scope += part(values[0]);
      // Readers differ in which of several counts.
      else scope += values.reduce((text, value) => text + part(value), `${SEPARATOR}${values.length}`);
    }
    return scope;
  }

  #query(query: string): string {
    if (this.#wholeQuery || query === '') return query;
    const counted = query
      .slice(1)
      .split('&')
      .filter((parameter) => parameter !== '' && this.#counts(parameter));
    // Stable: of several with one name the order may count.
    if (this.#plan.sortQuery) counted.sort((a, b) => compare(nameIn(a), nameIn(b)));
    return counted.length === 0 ? '' : `?${counted.join('&')}`;
  }

  #counts(parameter: string): boolean {
    const equals = parameter.indexOf('=');
    const name = decodeQuery(equals < 0 ? parameter : parameter.slice(0, equals));
    return !this.#ignored.has(name) && (this.#counted === null || this.#counted.has(name));
  }
}

/** The parameter's name, as written. */
function nameIn(parameter: string): string {
  const equals = parameter.indexOf('=');
  return equals < 0 ? parameter : parameter.slice(0, equals);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One value can't be taken for two, nor for none. */
function part(value: string | undefined): string {
  return value === undefined ? `${SEPARATOR}-` : `${SEPARATOR}+${value}`;
}

function urlKey(secure: boolean, host: string, path: string, query: string): string {
  return `${secure ? 'https' : 'http'}://${host}${path}${query}`;
}

/**
 * Host and port; the scheme's default port equals none (RFC 9110 §4.2.3). Behind a trusted proxy, those that it
 * reports.
 */
function authorityOf(x: Exchange): string {
  const { host, authority, claims } = x;
  if (claims !== null && claims.host !== '') {
    const { host: named, port } = parseAuthority(claims.host)!;
    return port < 0 || port === usualPort(x) ? named : `${named}:${port}`;
  }
  // Most hosts appear in the authority as written; if the authority is longer, it has a port.
  if (authority.length === host.length) return host;
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || authority.endsWith(']')) return host;
  const port = authority.slice(colon + 1);
  const number = Number(port);
  return port === '' || number === usualPort(x) ? host : `${host}:${number}`;
}

function usualPort(x: Exchange): number {
  return publicScheme(x) === 'https' ? 443 : 80;
}
