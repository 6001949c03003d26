/**
 * `GET /reloads`: recent reloads. `GET /reloads/ID?wait=active|drained`: shows one, and can wait for it. `POST
 * /reloads`: requests one. Cold.
 */
import { parseDuration } from '../../kit/units.ts';
import type { ReloadView } from '../../runtime/reload/reload.ts';
import { type Answer, type Handler, type Page, problem } from '../page.ts';
import { type Wait, waitFor } from '../wait.ts';

/** Milliseconds to wait: the default and the maximum. */
const WAIT = 30_000;
const LONGEST_WAIT = 300_000;

/** Returns null if the request does not wait, or an error text. */
function readWait(query: URLSearchParams): Wait | null | string {
  const until = query.get('wait');
  if (until === null) return query.has('timeout') ? 'timeout goes with wait' : null;
  if (until !== 'active' && until !== 'drained') return 'wait must be active or drained';
  const timeout = parseDuration(query.get('timeout') ?? `${WAIT}ms`);
  if (timeout === null || timeout > LONGEST_WAIT) return 'timeout must be a duration of at most 5m, such as 30s';
  return { until, timeout };
}

/** The list omits long fields. */
function inShort({ problem: _, warning: __, problems, problems_left_out: more, ...view }: ReloadView): object {
  return { ...view, problems: problems.length + more };
}

const show: Handler = async ({ gateway, reloader }, { params: { id = '' }, query }, response) => {
  const wait = readWait(query);
  if (typeof wait === 'string') return problem(400, 'Bad Request', wait);
  const reload = reloader?.reloads.find(id) ?? null;
  if (reload === null) return problem(404, 'Not Found', 'there is no such reload, or it is no longer kept');
  if (wait !== null) await waitFor(reload, wait, response, gateway.clock);
  return { status: 200, body: reload.view };
};

const ask: Handler = async ({ gateway, reloader }, { query }, response): Promise<Answer> => {
  const wait = readWait(query);
  if (typeof wait === 'string') return problem(400, 'Bad Request', wait);
  const by = query.get('by') ?? 'admin';
  if (by !== 'admin' && by !== 'cli') return problem(400, 'Bad Request', 'by must be admin or cli');
  if (reloader === null) return problem(409, 'Conflict', 'this gateway follows no file');
  const reload = reloader.force(by);
  if (reload === null) return problem(503, 'Service Unavailable', 'the gateway stops');
  response.setHeader('location', `/reloads/${reload.id}`);
  if (wait !== null) await waitFor(reload, wait, response, gateway.clock);
  return { status: reload.result === 'pending' ? 202 : 200, body: reload.view };
};

export const reloads: readonly Page[] = [
  {
    path: '/reloads',
    GET: ({ reloader }) => ({ status: 200, body: { reloads: reloader?.reloads.all.map(inShort) ?? [] } }),
    POST: ask,
  },
  { path: '/reloads/:id', GET: show },
];
