/** The Via field, which records that a message passed through the gateway (RFC 9110 §7.6.3). Hot. */
import type { IdentityPlan } from '../plan/types/identity.ts';

/** Indexed by the x of the received HTTP/1.x. The pseudonym hides internal hosts and ports. */
export const VIA_LINES: readonly string[] = ['Via: 1.0 prozy\r\n', 'Via: 1.1 prozy\r\n'];

/** For responses, which arrive over HTTP/1.1. */
export const VIA_LINE = VIA_LINES[1]!;

export function viaOnResponses({ via }: IdentityPlan): boolean {
  return via === 'response' || via === 'both';
}
