/** Actions that need no upstream: a fixed response, a redirect. Cold to bind, hot to run. */
import type { Exchange } from '../http/exchange.ts';
import { parseAuthority } from '../http/authority.ts';
import { LocalReply } from '../http/local-reply.ts';
import { publicOrigin } from '../http/identity.ts';
import type { ActionPlan, RedirectPlan } from '../plan/types.ts';
import type { RespondPlan } from '../plan/types/respond.ts';
import { localAuthority } from '../http/outgoing-head.ts';

export type Respond = (x: Exchange) => LocalReply;

export function fixedResponse({ status, headers, body }: RespondPlan): LocalReply {
  return new LocalReply(status, headers, body);
}

/** The response function of a respond or redirect action; null for pools. */
export function bindAction(action: ActionPlan): Respond | null {
  if (action.type === 'respond') {
    const response = fixedResponse(action);
    return () => response;
  }
  if (action.type === 'redirect') {
    const { redirect } = action;
    return (x) => new LocalReply(redirect.status, [['Location', location(redirect, x)]], '');
  }
  return null;
}

/**
 * Behind a trusted proxy, scheme and host are the ones that its client requested: a redirect to https must not lead
 * back to itself. Parts of the request's URL are text that the parser has accepted, so they contain no line break.
 */
function location(plan: RedirectPlan, x: Exchange): string {
  const origin = publicOrigin(x);
  let authority = plan.host ?? parseAuthority(origin.authority)?.host ?? '';
  if (plan.port !== null) authority += `:${plan.port}`;
  else if (plan.host === null && plan.scheme === null) authority = origin.authority;
  // An HTTP/1.0 client may omit Host.
  if (authority === '' || authority.startsWith(':')) authority = localAuthority(x.connection);
  return `${plan.scheme ?? origin.scheme}://${authority}${plan.path ?? x.path}${x.query}`;
}
