/** Local replies for errors. Hot. */
import { type LocalReply, problemReply } from '../http/local-reply.ts';

const problems = new Map<number, LocalReply>();
// Suggests an early retry: endpoints that are out are probed again and again.
problems.set(503, problemReply(503, [['Retry-After', '1']]));

/** The problem reply for a status. */
export function problem(status: number): LocalReply {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemReply(status)));
  return response;
}
