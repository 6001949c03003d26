/** What is asked of an exchange before it is routed: who sends it, and whether it can be taken at all. Hot. */
import { CONNECT_UNSUPPORTED, type GatewayError, OVERLOADED } from '../kit/errors.ts';
import type { Exchange } from '../http/exchange.ts';
import type { LocalReply } from '../http/local-reply.ts';
import { siftIdentity } from '../http/identity.ts';
import type { ServerStream } from '../http/server-stream.ts';
import type { HttpLive } from './live.ts';
import { lastHop } from './max-forwards.ts';
import { problem } from './own-answers.ts';

const BAD_REQUEST = 400;
const FORBIDDEN = 403;

/** null: it may come in. Otherwise what it is told instead. */
export function refusalAt(live: HttpLive, x: Exchange, stream: ServerStream): LocalReply | GatewayError | null {
  if (!siftIdentity(x, live)) {
    stream.closing = true;
    return problem(BAD_REQUEST);
  }
  if (live.acl !== null && !live.acl.allows(x.clientAddress)) {
    live.metrics.refusedByAcl++;
    stream.closing = true;
    return problem(FORBIDDEN);
  }
  if (live.shared.overloaded) {
    live.metrics.refusedByOverload++;
    return OVERLOADED;
  }
  if (x.method === 'CONNECT') {
    stream.closing = true;
    return CONNECT_UNSUPPORTED;
  }
  return lastHop(x);
}
