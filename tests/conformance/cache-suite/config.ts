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
