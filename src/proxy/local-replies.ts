/** Local replies for errors. Hot. */
import type { Exchange } from '../http/exchange.ts';
import { LocalReply, problemReply } from '../http/local-reply.ts';
import type { GatewayError } from '../kit/errors.ts';
import type { BoundHooks } from '../policies/policy.ts';
import type { FailedHook } from './filter-chain.ts';

const problems = new Map<number, LocalReply>();
// Suggests an early retry: endpoints that are out are probed again and again.
problems.set(503, problemReply(503, [['Retry-After', '1']]));

/** The problem reply for a status. */
export function problem(status: number): LocalReply {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemReply(status)));
  return response;
}

/** The error reply to an exchange that one of its response hooks has ended. */
export class FailedHookReply extends LocalReply {
  /** null: none has failed. */
  hook: FailedHook['hook'] | null = null;

  static of({ error, hook }: FailedHook): FailedHookReply {
    return Object.assign(new FailedHookReply(error.status, [], ''), problem(error.status), { hook, memo: null });
  }
}

/**
 * The response hooks that a local reply passes. The subrequest of a policy may have ended in a failed hook: that hook is
 * not called again, and neither are those of the policies behind it. They had their turn.
 */
export function hooksFor(reply: LocalReply, { local, response = local }: LocalHooks): BoundHooks['local'] {
  if (!(reply instanceof FailedHookReply) || reply.hook === null) return local;
  const passed = response.lastIndexOf(reply.hook) + 1;
  return response.slice(passed).filter((hook) => local.includes(hook));
}

/** Those of a route, or those of a listener for requests without a route. */
type LocalHooks = Pick<BoundHooks, 'local'> & Partial<Pick<BoundHooks, 'response'>>;

/** The reply to an exchange that fails with that error, which is recorded. */
export function errorReply(x: Exchange, error: GatewayError): LocalReply {
  x.failed(error);
  return problem(error.status);
}
