/**
 * Removes hop-by-hop fields (RFC 9110 §7.6.1). Hot.
 *
 * The Connection field may name further fields, but not those that the gateway itself depends on: otherwise a client
 * could hide its identity or the length of the body. The gateway ignores such options. Options apply only to fields
 * that came with the message, not to fields that a policy has set.
 *
 * Some statuses are about a hop-by-hop field. That field passes, because the response would be useless without it.
 */
import type { Fields } from './fields.ts';
import {
  CONNECTION,
  FOR_THIS_HOP,
  IF_MATCH,
  IF_MODIFIED_SINCE,
  IF_NONE_MATCH,
  IF_UNMODIFIED_SINCE,
  KEEP_ALIVE,
  knownId,
  PRAGMA,
  PROXY_AUTHENTICATE,
  RANGE,
  TE,
  TRAILER,
  TRANSFER_ENCODING,
  UNDERSCORED,
  UPGRADE,
  USER_AGENT,
} from './known.ts';

/** Always removed. */
const ALWAYS = [CONNECTION, KEEP_ALIVE, PROXY_AUTHENTICATE, FOR_THIS_HOP, TE, TRANSFER_ENCODING, UPGRADE];
const ALWAYS_MASK = ALWAYS.reduce((mask, id) => mask | (1 << id), 0);

/** Known fields that a Connection option may remove. */
const MAY_BE_NAMED = new Set([
  ...ALWAYS,
  TRAILER,
  UNDERSCORED,
  USER_AGENT,
  PRAGMA,
  RANGE,
  IF_MATCH,
  IF_NONE_MATCH,
  IF_MODIFIED_SINCE,
  IF_UNMODIFIED_SINCE,
]);

/** Returns the known field that a response of this status is about, or 0. */
function subjectOf(status: number): number {
  // RFC 9110 §15.5.22: the protocols to change to. The gateway passes upgrades on, so its client may use them.
  if (status === 426) return UPGRADE;
  // §15.5.8 and §11.7.1: the challenge. It comes from the backend, which is a proxy itself.
  return status === 407 ? PROXY_AUTHENTICATE : 0;
}

/** Removes the fields that a request's Connection names. Runs as soon as the head is read. */
export function stripNamedByRequest(fields: Fields): void {
  stripNamedBy(fields, 0);
}

/** `status` is the response's status, or 0 for a request, whose named fields have already been removed. */
export function stripHopByHop(fields: Fields, status: number): void {
  if ((fields.seen & ALWAYS_MASK) === 0) return;
  const subject = subjectOf(status);
  if (status !== 0) stripNamedBy(fields, subject);
  fields.removeAll(subject === 0 ? ALWAYS_MASK : ALWAYS_MASK & ~(1 << subject));
}

function stripNamedBy(fields: Fields, subject: number): void {
  // The most frequent value names no other field; this test allocates no string.
  if (!fields.has(CONNECTION) || fields.says(CONNECTION, 'keep-alive')) return;
  const options = fields.known(CONNECTION);
  if (options !== undefined) stripNamed(fields, options, subject);
}

function stripNamed(fields: Fields, options: string, subject: number): void {
  const lower = options.toLowerCase();
  if (lower === 'close' || lower === 'upgrade') return;
  // Collects all names and then scans the fields once, because a peer may name thousands.
  const named = new Set<string>();
  for (const part of lower.split(',')) {
    const name = part.trim();
    if (name === '') continue;
    const id = knownId(name);
    if (id !== 0 && (id === subject || !MAY_BE_NAMED.has(id))) continue;
    // The gateway needs these fields until it builds the next hop's head, which omits them.
    if ((ALWAYS_MASK & (1 << id)) === 0) named.add(name);
  }
  for (let i = 0; i < fields.count; i++) if (named.has(fields.nameAt(i).toLowerCase())) fields.removeAt(i);
}
