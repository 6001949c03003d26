/** Formats active traffic and the expected effect on it for people. Cold. */
import type { Forecast, StaysBehind } from '../plan/diff/forecast.ts';
import { forgottenText } from '../plan/diff/forgotten.ts';
import type { Touches } from '../plan/diff/live.ts';
import { withUnit } from './value-text.ts';

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** Returns '' for no traffic. */
export function touchesText({ connections, exchanges, streams, idle }: Touches): string {
  return [
    [connections, 'connection'] as const,
    [exchanges, 'request'] as const,
    [streams, 'stream'] as const,
    [idle, 'idle backend connection'] as const,
  ]
    .filter(([count]) => count > 0)
    .map(([count, word]) => counted(count, word))
    .join(', ');
}

const REASONS: Readonly<Record<StaysBehind['reason'], string>> = {
  listener_gone: 'the listener is gone',
  denied_by_listener: "the listener's ACL refuses the client",
  denied_by_policy: "the route's ACL refuses the client",
  route_gone: 'the route is gone',
  policies_changed: 'the policies are others',
  pool_changed: 'the pool is another',
  endpoint_gone: 'the endpoint is gone',
};

const ENDS: Readonly<Record<StaysBehind['action'], string>> = {
  goodbye: 'ended with a goodbye',
  close: 'closed',
  finish: 'until they end by themselves',
  keep: 'kept all the same',
  drain: 'ended',
  cut: 'cut at once',
};

export function forecastText(live: Forecast): string {
  const { leases, goes_over: over, unsure, stays, over_limit: beyond, older, forgets } = live;
  const out = [
    `Under way: ${counted(leases, 'request or stream').replace('request or streams', 'requests and streams')}`,
  ];
  if (over > 0) out.push(`    ${over} would go over to the new config`);
  if (unsure > 0) out.push(`    ${unsure} may now be for another route: whatever is stays behind`);
  out.push(...stays.map(stayText));
  if (beyond > 0) out.push(`    ${counted(beyond, 'connection')} beyond the new limit`);
  if (older > 0) out.push(`    ${older} on older configs`);
  for (const one of forgets) out.push(`    ${forgottenText(one)}`);
  return out.join('\n');
}

function stayText({ reason, exchanges, streams, action, deadline }: StaysBehind): string {
  const what = touchesText({ connections: 0, exchanges, streams, idle: 0 });
  const when = deadline === null ? '' : ` after ${withUnit(deadline, 'ms')} at the latest`;
  return `    ${what} would stay behind: ${REASONS[reason]}; ${ENDS[action]}${when}`;
}
