/** Max-Forwards of TRACE and OPTIONS: how many more hops the client wants to see (RFC 9110 §7.6.2). Hot, and rare. */
import type { Exchange } from '../http/exchange.ts';
import { LocalReply } from '../http/local-reply.ts';
import { MAX_FORWARDS } from '../http/known.ts';

/** What a last hop says of itself: it takes what it is sent, and does not reflect messages. */
const OPTIONS = new LocalReply(200, [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']], '');
const TRACE = new LocalReply(405, [['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']], '');

/** The answer if this is the last hop; else the number goes down by one. What is no number is left as it is. */
export function lastHop({ method, fields }: Exchange): LocalReply | null {
  if (!fields.has(MAX_FORWARDS) || (method !== 'OPTIONS' && method !== 'TRACE')) return null;
  const value = fields.known(MAX_FORWARDS) ?? '';
  if (!/^[0-9]{1,9}$/.test(value)) return null;
  const left = Number(value);
  if (left === 0) return method === 'OPTIONS' ? OPTIONS : TRACE;
  fields.set('Max-Forwards', String(left - 1));
  return null;
}
