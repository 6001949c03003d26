/** `GET /caches`, `GET /caches/NAME`: the caches. `DELETE /caches/NAME?…`: purges stored responses. Cold. */
import { cacheView, cacheViews, purgeCache, type PurgeWish } from '../../runtime/views/caches.ts';
import { type Page, problem } from '../page.ts';

const WAYS = ['url', 'prefix', 'host', 'tag', 'all'] as const;

export const caches: Page = {
  path: '/caches',
  GET: ({ gateway }) => ({ status: 200, body: cacheViews(gateway) }),
};

export const cache: Page = {
  path: '/caches/:cache',
  GET: ({ gateway }, { params: { cache: name = '' } }) => {
    const view = cacheView(gateway, name);
    return typeof view === 'string' ? problem(404, 'Not Found', view) : { status: 200, body: view };
  },
  DELETE: async ({ gateway }, { params: { cache: name = '' }, query }) => {
    const order = read(query);
    if (typeof order === 'string') return problem(400, 'Bad Request', order);
    const purged = await purgeCache(gateway, name, order);
    if ('unknown' in purged) return problem(404, 'Not Found', purged.unknown);
    return 'bad' in purged ? problem(400, 'Bad Request', purged.bad) : { status: 200, body: purged };
  },
};

/** Returns an error text if the query is invalid. Strict, so that a typing error can't purge more than intended. */
function read(query: URLSearchParams): PurgeWish | string {
  const keys = [...new Set(query.keys())];
  const unknown = keys.find((key) => key !== 'soft' && !WAYS.some((way) => way === key));
  if (unknown !== undefined) return `there is no parameter ${unknown}; there are ${WAYS.join(', ')} and soft`;
  const given = WAYS.filter((way) => query.has(way));
  const [by] = given;
  if (by === undefined) return `needs one of ${WAYS.join(', ')}`;
  if (given.length > 1) return `takes one of ${given.join(' and ')}, not several`;
  for (const flag of by === 'all' ? ['all', 'soft'] : ['soft']) {
    const values = query.getAll(flag);
    if (values.length > 1) return `${flag} is given once`;
    if (values.some((value) => value !== '')) return `${flag} has no value`;
  }
  return { by, values: by === 'all' ? [] : query.getAll(by), soft: query.has('soft') };
}
