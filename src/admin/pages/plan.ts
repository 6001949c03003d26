/** `GET /plan`: the current plan, and the number of active leases and connections: for `prozy plan`. Cold. */
import { TimeSlicer } from '../../kit/time-slicing.ts';
import { liveNumbers } from '../../runtime/views/live-numbers.ts';
import { SHOWN_PLAN, shownPlan } from '../../runtime/views/redacted-plan.ts';
import { type Page, problem } from '../page.ts';

export const plan: Page = {
  path: '/plan',
  GET: async ({ gateway, reloader }) => {
    const { current } = gateway;
    if (current === null) return problem(503, 'Service Unavailable', 'nothing is in effect yet');
    const live = await liveNumbers(gateway, current);
    const about = { version: SHOWN_PLAN, generation: current.generation, folder: reloader?.folder ?? '', live };
    const pieces: string[] = [];
    await new TimeSlicer(gateway.clock).each(shownPlan(current.plan, about), (piece) => pieces.push(piece));
    return { status: 200, type: 'application/json', body: pieces.join('') };
  },
};
