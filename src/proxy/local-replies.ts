/** What a client is answered in place of a backend's response. Hot. */
import { type LocalReply, problemReply } from '../http/local-reply.ts';

const problems = new Map<number, LocalReply>();
// It says when it is worth trying again: soon, since endpoints that are out are tried again and again.
problems.set(503, problemReply(503, [['Retry-After', '1']]));

/** What is wrong, by its status. */
export function problem(status: number): LocalReply {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemReply(status)));
  return response;
}
