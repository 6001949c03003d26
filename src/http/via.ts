/** The Via field, which says that a message has come by way of the gateway (RFC 9110 §7.6.3). Hot. */
import type { IdentityPlan } from '../plan/types/identity.ts';

/** By the x of the received HTTP/1.x. A pseudonym, so that nothing is told about hosts and ports inside. */
export const VIA_LINES: readonly string[] = ['Via: 1.0 prozy\r\n', 'Via: 1.1 prozy\r\n'];

/** Of responses, which come by HTTP/1.1. */
export const VIA_LINE = VIA_LINES[1]!;

export function viaOnResponses({ via }: IdentityPlan): boolean {
  return via === 'response' || via === 'both';
}
