/**
 * `GET /history`: the configs that were in effect. `GET /history/N/plan`: the plan of one of them, for `prozy diff`.
 * `POST /history/N/rollback`: rolls back to it. `DELETE /hold`: follows the file again. Cold.
 */
import { TimeSlicer } from '../../kit/time-slicing.ts';
import { historyView, planOfEntry } from '../../runtime/views/history-view.ts';
import type { Returned } from '../../runtime/reload/reloader.ts';
import { SHOWN_PLAN, shownPlan } from '../../runtime/views/redacted-plan.ts';
import { type AdminContext, type Answer, type Page, problem } from '../page.ts';

const none = (): Answer => problem(404, 'Not Found', 'there is no such entry in the history');
const notYet = (): Answer => problem(503, 'Service Unavailable', 'nothing is in effect yet');

export const history: Page = {
  path: '/history',
  GET: async ({ reloader }) =>
    reloader === null ? notYet() : { status: 200, body: await historyView(reloader.history) },
};

export const historyPlan: Page = {
  path: '/history/:entry/plan',
  GET: async ({ gateway, reloader }, { params }) => {
    const number = numberIn(params['entry']);
    const plan = reloader === null || number === null ? null : await planOfEntry(reloader.history, number);
    if (plan === null) return none();
    if (typeof plan === 'string') return problem(409, 'Conflict', plan);
    const about = { version: SHOWN_PLAN, generation: null, folder: reloader?.folder ?? '', live: null };
    const pieces: string[] = [];
    await new TimeSlicer(gateway.clock).each(shownPlan(plan, about), (piece) => pieces.push(piece));
    return { status: 200, type: 'application/json', body: pieces.join('') };
  },
};

export const rollback: Page = {
  path: '/history/:entry/rollback',
  POST: async ({ gateway, reloader }, { params, message }) => {
    if (reloader === null) return notYet();
    const number = numberIn(params['entry']);
    const by = message.socket.remoteAddress ?? '';
    const done = number === null ? null : await reloader.rollback(number, by);
    if (done === null) return none();
    if (typeof done === 'string') return problem(409, 'Conflict', done);
    return outcome({ gateway, reloader }, done);
  },
};

export const hold: Page = {
  path: '/hold',
  DELETE: async ({ gateway, reloader }) =>
    reloader === null ? notYet() : outcome({ gateway, reloader }, await reloader.lift()),
};

function outcome({ reloader }: AdminContext, { reload, persisted }: Returned): Answer {
  const { view } = reload;
  if (view.result !== 'applied' && view.result !== 'unchanged') return problem(409, 'Conflict', view.problem);
  const { id, result, generation, changes } = view;
  const fallback = reloader?.history.fallback ?? null;
  const told = { reload: id, result, generation, changes, held: fallback?.why === 'held', persisted };
  return { status: 200, body: { ...told, problem: persisted ? '' : (reloader?.history.problem ?? '') } };
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
