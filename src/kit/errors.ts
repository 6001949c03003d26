/**
 * What can go wrong in traffic, as data: whose fault it was, and whether another attempt may be made. Hot.
 *
 * An error is made where something breaks and travels by value; it is thrown by nobody on the traffic path. One file,
 * proxy/request-handler.ts, turns errors into responses. Every code is a word of the access log and of the metrics.
 */

export type ErrorSource = 'client' | 'upstream' | 'gateway';

/** The kinds of failure after which another attempt may be made; null: none may. `connect`: nothing had been sent. */
export type RetryCause = 'connect' | 'reset' | 'timeout' | 'bad_response';

export class GatewayError {
  readonly code: string;
  readonly source: ErrorSource;
  /** The status a client gets if its response has not begun; 0: none is due, the connection just ends. */
  readonly status: number;
  readonly retry: RetryCause | null;
  /** For people reading the log; never sent to a client. */
  readonly detail: string;

  constructor(code: string, source: ErrorSource, status: number, retry: RetryCause | null = null, detail = '') {
    this.code = code;
    this.source = source;
    this.status = status;
    this.retry = retry;
    this.detail = detail;
  }

  /** The same error with what is known of this occurrence. */
  with(detail: string): GatewayError {
    return new GatewayError(this.code, this.source, this.status, this.retry, detail);
  }
}

/* The client's doing. */
export const BAD_REQUEST = new GatewayError('bad_request', 'client', 400);
export const BODY_TIMEOUT = new GatewayError('body_timeout', 'client', 408);
export const BODY_TOO_LARGE = new GatewayError('body_too_large', 'client', 413);
export const CLIENT_GONE = new GatewayError('client_gone', 'client', 0);
export const CLIENT_STALLED = new GatewayError('client_stalled', 'client', 0);

/* The upstream's. */
export const CONNECT_REFUSED = new GatewayError('connect_refused', 'upstream', 502, 'connect');
export const CONNECT_FAILED = new GatewayError('connect_failed', 'upstream', 502, 'connect');
export const CONNECT_TIMEOUT = new GatewayError('connect_timeout', 'upstream', 504, 'connect');
/** It takes no more of the request. */
export const SEND_TIMEOUT = new GatewayError('send_timeout', 'upstream', 504, 'timeout');
export const UPSTREAM_CLOSED = new GatewayError('upstream_closed', 'upstream', 502, 'reset');
export const UPSTREAM_RESET = new GatewayError('upstream_reset', 'upstream', 502, 'reset');
export const BAD_RESPONSE = new GatewayError('bad_response', 'upstream', 502, 'bad_response');
export const FIRST_BYTE_TIMEOUT = new GatewayError('first_byte_timeout', 'upstream', 504, 'timeout');
export const RESPONSE_TIMEOUT = new GatewayError('response_timeout', 'upstream', 504, 'timeout');
export const RESPONSE_TRUNCATED = new GatewayError('response_truncated', 'upstream', 502, 'reset');

/* Ours. */
export const NO_ROUTE = new GatewayError('no_route', 'gateway', 404);
/** CONNECT to a listener that is no forward proxy (RFC 9110 §9.3.6). */
export const CONNECT_UNSUPPORTED = new GatewayError('connect_unsupported', 'gateway', 501);
export const NO_ENDPOINT = new GatewayError('no_endpoint', 'gateway', 503);
export const POOL_FULL = new GatewayError('pool_full', 'gateway', 503);
/** It waited in the queue for as long as one may. */
export const QUEUE_TIMEOUT = new GatewayError('queue_timeout', 'gateway', 503);
/** No file descriptor, port or memory for another connection. */
export const OUT_OF_RESOURCES = new GatewayError('out_of_resources', 'gateway', 503);
export const TOTAL_TIMEOUT = new GatewayError('total_timeout', 'upstream', 504);
/** The gateway itself has more to do than it can. */
export const OVERLOADED = new GatewayError('overloaded', 'gateway', 503);
export const DRAINED = new GatewayError('drained', 'gateway', 503);
/** The config that is in effect now would not have let it in. */
export const DENIED = new GatewayError('denied', 'gateway', 403);
export const INTERNAL = new GatewayError('internal', 'gateway', 500);
