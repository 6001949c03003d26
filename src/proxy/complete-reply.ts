/**
 * Sends complete replies: local replies, which the gateway makes, and cached replies. Hot.
 *
 * A reply without hooks goes to the codec as it is, and leaves in one write. Hooks run on a head that is made for them; if
 * one of them returns a body filter, the reply goes the way of a forwarded response.
 */
import type { BodyFilter } from '../http/body-filter.ts';
import type { CachedReply } from '../http/cached-reply.ts';
import type { LocalReply } from '../http/local-reply.ts';
import type { ResponseHead } from '../http/message.ts';
import { headOfReply, replyUnder } from '../http/reply-head.ts';
import type { BoundHooks } from '../policies/policy.ts';
import type { RespondingExchange } from './responding-exchange.ts';
import { forwardableFields } from './response-fields.ts';
import { runResponseHooks, sendFilteredHead } from './response-hooks.ts';
import { WholeReply } from './whole-reply.ts';

/** Sends a local reply through `hooks`. */
export function sendLocalReply(
  owner: RespondingExchange,
  response: LocalReply,
  hooks: BoundHooks['local'],
  denied: boolean,
): void {
  const { x, explain } = owner;
  x.status = response.status;
  if (hooks.length === 0) {
    sendUnchanged(owner, explain === null ? response : explain.onAnswer(response, x, owner.facts(denied)));
    return;
  }
  const head = headOfReply(response, x.method);
  const filters = runHooks(owner, head, hooks, 0, hooks.length, denied);
  if (filters === undefined) return;
  if (filters === null) {
    sendUnchanged(owner, replyUnder(response, head, x.method));
    return;
  }
  forwardableFields(head.fields, head.status, owner.context.shared.date, false);
  sendFiltered(owner, head, filters, response.bodyBytes);
}

function sendUnchanged(owner: RespondingExchange, response: LocalReply): void {
  const { x, stream } = owner;
  // Leases and counters are settled first: `localReply` may begin the client's next request before it returns.
  owner.settle(x.method === 'HEAD' ? 0 : response.body.length);
  stream.localReply(response);
}

/** Sends a cached reply through the hooks [from, to). */
export function sendCachedReply(
  owner: RespondingExchange,
  stored: CachedReply,
  hooks: BoundHooks['response'],
  from: number,
  to: number,
): void {
  const { x, stream } = owner;
  x.status = stored.status;
  let reply = stored;
  if (from < to || owner.explain !== null) {
    const head = headOfReply(stored, x.method);
    const filters = runHooks(owner, head, hooks, from, to, false);
    if (filters === undefined) return;
    if (filters !== null) {
      sendFiltered(owner, head, filters, stored.bodyBytes);
      return;
    }
    reply = replyUnder(stored, head, x.method);
  }
  owner.settle(x.method === 'HEAD' ? 0 : reply.length);
  stream.cachedReply(reply);
}

/** Runs hooks on the head of a complete response. Returns what runResponseHooks does. */
function runHooks(
  owner: RespondingExchange,
  head: ResponseHead,
  hooks: BoundHooks['response'],
  from: number,
  to: number,
  denied: boolean,
): BodyFilter[] | null | undefined {
  const { x } = owner;
  x.response = head;
  const filters = runResponseHooks(owner, hooks, from, to);
  if (filters === undefined) return undefined;
  x.status = head.status;
  owner.explain?.onResponse(head.fields, x, owner.facts(denied));
  return filters;
}

/** Sends a complete response through body filters. */
function sendFiltered(
  owner: RespondingExchange,
  head: ResponseHead,
  filters: readonly BodyFilter[],
  body: Buffer,
): void {
  const source = new WholeReply(owner, body);
  sendFilteredHead(owner, filters, head, source);
  source.send();
}
