/**
 * A request that a policy sends to a pool of the config, and what it gets back. Hot where a policy sends one.
 *
 * The policy's plan names the pools, so that reloads and plans know of them; the policy gets a handle of each at bind. The
 * gateway forwards such a request in the same way as the clients' requests (proxy/pool-subrequest.ts).
 */
import type { GatewayError } from '../kit/errors.ts';
import type { Fields } from './fields.ts';

/** A pool that a policy may send requests to. */
export interface PoolHandle {
  readonly name: string;
}

export interface PoolRequest {
  /** A token (RFC 9110 §9.1), but not CONNECT; absent: GET. */
  readonly method?: string;
  /** The path with the query, if there is one, as they are sent. */
  readonly path: string;
  /** Besides these, it has the gateway's identity fields that these do not name. Its Host is the client's or the pool's. */
  readonly fields?: Iterable<readonly [name: string, value: string]>;
  /** At most MOST_BODY bytes; a string is sent in UTF-8. */
  readonly body?: string | Uint8Array;
  /** Sends the client's body, which `bufferBody` must have read. */
  readonly clientBody?: boolean;
  /** The most bytes that the response's body may have; absent: RESPONSE_LIMIT. */
  readonly limit?: number;
}

/** Bytes. */
export const MOST_BODY = 1024 * 1024;
export const RESPONSE_LIMIT = 1024 * 1024;

/** A whole response. */
export interface PoolResponse {
  readonly error: null;
  readonly status: number;
  /** Without hop-by-hop fields. */
  readonly fields: Fields;
  readonly body: Buffer;
}

/** The pool has no response to give, or not in time. */
export interface PoolFailure {
  /** Its status is the one for the client. */
  readonly error: GatewayError;
}

export type PoolResult = PoolResponse | PoolFailure;
