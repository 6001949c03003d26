/** Local replies for errors. Hot. */
import type { Exchange } from '../http/exchange.ts';
import { type LocalReply, problemReply } from '../http/local-reply.ts';
import type { GatewayError } from '../kit/errors.ts';

const problems = new Map<number, LocalReply>();
// Suggests an early retry: endpoints that are out are probed again and again.
problems.set(503, problemReply(503, [['Retry-After', '1']]));

/** The problem reply for a status. */
export function problem(status: number): LocalReply {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemReply(status)));
  return response;
}

/** The reply to an exchange that fails with that error, which is recorded. */
export function errorReply(x: Exchange, error: GatewayError): LocalReply {
  x.error = error.code;
  return problem(error.status);
}
