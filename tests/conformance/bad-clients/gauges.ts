/** What /metrics says is still there, and what it blames on whom. */
import { get } from '../../support/requests.ts';

/** Must be 0 when no client is left. */
const OPEN =
  /^(prozy_listener_connections|prozy_tunnels|prozy_leases|prozy_upstream_active|prozy_upstream_connections|prozy_pool_queue|prozy_pool_retries)(\{.*\})? (\S+)$/;
/** A backend is not to blame for its clients. */
const BLAME =
  /^(prozy_upstream_failures_total|prozy_upstream_ejections_total|prozy_upstream_connect_errors_total)(\{.*\})? (\S+)$/;

function nonZero(text: string, pattern: RegExp, skip: RegExp | null): string[] {
  return text.split('\n').filter((line) => {
    const value = pattern.exec(line)?.[3];
    return value !== undefined && Number(value) !== 0 && skip?.test(line) !== true;
  });
}

/** The gauges that are not back to zero. `listener`: of the one alone, and no others' exchanges. */
export async function stillOpen(adminPort: number, listener: string | null): Promise<string[]> {
  const { body } = await get(adminPort, '/metrics');
  if (listener === null) return nonZero(body, OPEN, null);
  return nonZero(body, OPEN, null).filter((line) => line.includes(`listener="${listener}"`));
}

export async function blamed(adminPort: number): Promise<string[]> {
  const { body } = await get(adminPort, '/metrics');
  return nonZero(body, BLAME, null);
}
