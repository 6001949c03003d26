/**
 * Endpoints that an operator has drained or disabled and whose admin state a reload would lose: for `prozy plan`, and
 * for the reload itself. Cold, pure.
 */
import { claimBefore } from '../claims.ts';
import type { Plan } from '../types.ts';
import type { LiveEndpoint } from './live.ts';

/** An endpoint that an operator has drained or disabled and whose state is lost. */
export interface ForgottenAdminState {
  readonly pool: string;
  readonly endpoint: string;
  /** draining or disabled. */
  readonly admin_state: string;
}

/** `endpoints`: those of the running gateway, with the plan `before`. */
export function forgottenAdminStates(
  before: Plan,
  after: Plan,
  endpoints: readonly Pick<LiveEndpoint, 'pool' | 'endpoint' | 'admin_state'>[],
): ForgottenAdminState[] {
  const commanded = endpoints.filter(({ admin_state }) => admin_state !== 'enabled');
  if (commanded.length === 0) return [];
  const goesOn = new Set<string>();
  for (const { name, renamedFrom, endpoints: all } of after.pools)
    for (const { claim } of all) goesOn.add((claimBefore(claim, name, renamedFrom) ?? claim).identity);
  const keeps = (pool: string, endpoint: string): boolean => {
    const { endpoints: all = [], dns } = before.pools.find(({ name }) => name === pool) ?? {};
    const configured = all.find(({ address }) => address.text === endpoint);
    if (configured !== undefined) return goesOn.has(configured.claim.identity);
    // A DNS name found it: it is found again if the pool, even under a new name, still looks up names.
    const now = after.pools.find(({ name, renamedFrom }) => (renamedFrom ?? name) === pool);
    return dns != null && now !== undefined && now.dns !== null;
  };
  return commanded
    .filter(({ pool, endpoint }) => !keeps(pool, endpoint))
    .map(({ pool, endpoint, admin_state }) => ({ pool, endpoint, admin_state }));
}

/** The text that the log, `prozy plan` and `prozy reload` show. */
export function forgottenText({ pool, endpoint, admin_state: adminState }: ForgottenAdminState): string {
  return `forgets that ${pool}/${endpoint} is ${adminState}: an operator's word goes with the pool and the address`;
}
