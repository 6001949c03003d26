/** The Via field, which records that a message passed through the gateway (RFC 9110 §7.6.3). Hot. */
import type { IdentityPlan } from '../plan/types/identity.ts';
import { HTTP_1_0 } from './message.ts';

/* The pseudonym hides internal hosts and ports. */
const VIA_1_0 = 'Via: 1.0 prozy\r\n';
/** For responses, which arrive over HTTP/1.1. */
export const VIA_LINE = 'Via: 1.1 prozy\r\n';

/** The line for a message that was received in this protocol version. */
export function viaReceivedIn(version: number): string {
  return version === HTTP_1_0 ? VIA_1_0 : VIA_LINE;
}

export function viaOnResponses({ via }: IdentityPlan): boolean {
  return via === 'response' || via === 'both';
}
