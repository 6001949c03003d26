/** What a client is answered in place of a backend's response. Hot. */
import { type FixedResponse, problemResponse } from '../http/fixed-response.ts';
import type { Pool } from '../upstream/pool.ts';

const problems = new Map<number, FixedResponse>();

/** What is wrong, by its status. */
export function problem(status: number): FixedResponse {
  let response = problems.get(status);
  if (response === undefined) problems.set(status, (response = problemResponse(status)));
  return response;
}

/** A 503 that says when it is worth trying again. */
export function unavailable(pool: Pool | null): FixedResponse {
  return problemResponse(503, [
    ['Retry-After', String(pool === null ? 1 : Math.max(1, Math.ceil(pool.nextTry / 1000)))],
  ]);
}
