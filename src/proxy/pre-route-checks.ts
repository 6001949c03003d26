/** Checks before routing: whether the client is allowed on this connection, and whether the gateway can serve the request at all. Hot. */
import { CONNECT_UNSUPPORTED, MISDIRECTED, OVERLOADED, SERVER_NAME_NEEDED } from '../kit/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { siftIdentity } from '../http/identity.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { HttpListenerContext } from './listener-context.ts';
import { challengeReply } from './challenge-reply.ts';
import { lastHop } from './max-forwards.ts';
import { errorReply, problem } from './local-replies.ts';

const BAD_REQUEST = 400;
const FORBIDDEN = 403;

/** null: the request passes. Otherwise the reply to it. */
export function preRouteChecks(context: HttpListenerContext, x: Exchange, stream: ServerStream): LocalReply | null {
  if (!siftIdentity(x, context)) {
    stream.closing = true;
    return problem(BAD_REQUEST);
  }
  const { challenges } = context.shared;
  if (challenges !== null) {
    // Before the access list: an authority comes from anywhere, and learns only what it has asked us to show.
    const reply = challengeReply(challenges, x);
    if (reply !== null) return reply;
  }
  const { tlsPolicies } = context;
  if (tlsPolicies !== null) {
    const refusal = tlsPolicies.refusal(x.connection.tls, x.host, context.shared.clock.wall());
    if (refusal !== '') return errorReply(x, refusal === 'misdirected' ? MISDIRECTED : SERVER_NAME_NEEDED);
  }
  if (context.acl !== null && !context.acl.allows(x.clientAddress, x.connection.tls?.client ?? null)) {
    context.metrics.refusedByAcl++;
    stream.closing = true;
    return problem(FORBIDDEN);
  }
  if (context.shared.overloaded) {
    context.metrics.refusedByOverload++;
    return errorReply(x, OVERLOADED);
  }
  if (x.method === 'CONNECT') {
    stream.closing = true;
    return errorReply(x, CONNECT_UNSUPPORTED);
  }
  return lastHop(x);
}
