/** Max-Forwards of TRACE and OPTIONS: how many more hops the request may take (RFC 9110 §7.6.2). Hot, and rare. */
import type { Exchange } from '../http/exchange.ts';
import { LocalReply } from '../http/local-reply.ts';
import { MAX_FORWARDS } from '../http/known.ts';

/** Replies of the final hop: it accepts all of these methods, and does not reflect messages. */
const OPTIONS = new LocalReply(200, [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']], '');
const TRACE = new LocalReply(405, [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']], '');

/** The reply if this is the final hop; otherwise decrements the value. A value that is not a number stays as it is. */
export function lastHop({ method, fields }: Exchange): LocalReply | null {
  if (!fields.has(MAX_FORWARDS) || (method !== 'OPTIONS' && method !== 'TRACE')) return null;
  const value = fields.known(MAX_FORWARDS) ?? '';
  if (!/^[0-9]{1,9}$/.test(value)) return null;
  const left = Number(value);
  if (left === 0) return method === 'OPTIONS' ? OPTIONS : TRACE;
  fields.set('Max-Forwards', String(left - 1));
  return null;
}
