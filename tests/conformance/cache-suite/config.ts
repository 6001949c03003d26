/**
 * The settings with which the outside suite judges the cache. Its origin's Set-Cookie is meant for every client, which
 * only an operator can know: by default the cache stores no Set-Cookie (RFC 9111 §7.3).
 */
export const SUITE_SETTINGS = { set_cookie: 'explicit' };

/** A shared cache in front of an origin, every setting at its default but for those of the pool and policy that are given. */
export function cacheConfig(originPort: number, pool: object = {}, policy: object = {}): object {
  return {
    version: 1,
    listeners: { web: { address: '127.0.0.1:0' } },
    caches: { pages: { max_size: '64MiB' } },
    pools: { origin: { endpoints: [`127.0.0.1:${originPort}`], ...pool } },
    routes: [
      { name: 'all', match: { path: '/' }, policies: [{ type: 'cache', cache: 'pages', ...policy }], pool: 'origin' },
    ],
  };
}
