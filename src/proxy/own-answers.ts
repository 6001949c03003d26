/** What a client is answered in place of a backend's response. Hot. */
import { type FixedResponse, problemResponse } from '../http/fixed-response.ts';

const problems = new Map<number, FixedResponse>();
// It says when it is worth trying again: soon, since endpoints that are out are tried again and again.
problems.set(503, problemResponse(503, [['Retry-After', '1']]));

/** What is wrong, by its status. */
export function problem(status: number): FixedResponse {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemResponse(status)));
  return response;
}
