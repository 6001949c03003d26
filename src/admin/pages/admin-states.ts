/** `POST /backends/POOL/ENDPOINT/drain|disable|enable`: sets an endpoint's admin state. Cold. */
import { commandEndpoint } from '../../runtime/views/runtime-views.ts';
import { type Page, problem } from '../page.ts';

const ADMIN_STATES = { drain: 'draining', disable: 'disabled', enable: 'enabled' } as const;

/** Each returns the endpoint's new state. */
export const adminStates: readonly Page[] = Object.entries(ADMIN_STATES).map(([word, adminState]) => ({
  path: `/backends/:pool/:endpoint/${word}`,
  POST: ({ gateway }, { params: { pool = '', endpoint = '' } }) => {
    const view = commandEndpoint(gateway, pool, endpoint, adminState);
    return view === null ? problem(404, 'Not Found') : { status: 200, body: view };
  },
}));
