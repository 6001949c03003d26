/** The Via field, which every intermediary adds to what it forwards (RFC 9110 §7.6.3). Hot. */

/** By the x of the received HTTP/1.x. A pseudonym, so that nothing is told about hosts and ports inside. */
export const VIA_LINES: readonly string[] = ['Via: 1.0 prozy\r\n', 'Via: 1.1 prozy\r\n'];
