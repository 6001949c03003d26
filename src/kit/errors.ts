/**
 * Errors in traffic, as data: the responsible side, and whether a retry is allowed. Hot.
 *
 * The code that detects a failure creates an error and passes it by value; nothing on the traffic path throws. One
 * file, proxy/local-replies.ts, turns errors into responses. Each code appears in the access log and in the metrics.
 */

export type ErrorSource = 'client' | 'upstream' | 'gateway';

/** The kinds of failure that allow a retry; null allows none. `connect` means that nothing had been sent. */
export type RetryCause = 'connect' | 'reset' | 'timeout' | 'bad_response';

export class GatewayError {
  readonly code: string;
  readonly source: ErrorSource;
  /** The status for the client if its response has not begun; 0: none is due, the connection just ends. */
  readonly status: number;
  readonly retry: RetryCause | null;
  /** For readers of the log; never sent to a client. */
  readonly detail: string;

  constructor(code: string, source: ErrorSource, status: number, retry: RetryCause | null = null, detail = '') {
    this.code = code;
    this.source = source;
    this.status = status;
    this.retry = retry;
    this.detail = detail;
  }

  /** Returns the same error with details of this occurrence. */
  with(detail: string): GatewayError {
    return new GatewayError(this.code, this.source, this.status, this.retry, detail);
  }
}

/* Caused by the client. */
export const BAD_REQUEST = new GatewayError('bad_request', 'client', 400);
export const BODY_TIMEOUT = new GatewayError('body_timeout', 'client', 408);
export const BODY_TOO_LARGE = new GatewayError('body_too_large', 'client', 413);
/** The content is not what its Content-Encoding says. */
export const BODY_UNDECODABLE = new GatewayError('body_undecodable', 'client', 400);
export const CLIENT_GONE = new GatewayError('client_gone', 'client', 0);
export const CLIENT_STALLED = new GatewayError('client_stalled', 'client', 0);
/** The connection's handshake met another TLS policy than that of the requested host (RFC 9110 §15.5.20). */
export const MISDIRECTED = new GatewayError('misdirected', 'client', 421);
/** The same, where another connection would not help: the client sends no server name. */
export const SERVER_NAME_NEEDED = new GatewayError('server_name_needed', 'client', 403);

/* Caused by the upstream. */
export const CONNECT_REFUSED = new GatewayError('connect_refused', 'upstream', 502, 'connect');
export const CONNECT_FAILED = new GatewayError('connect_failed', 'upstream', 502, 'connect');
export const CONNECT_TIMEOUT = new GatewayError('connect_timeout', 'upstream', 504, 'connect');
/* The TLS handshake with the upstream has failed, so nothing of the request has been sent. */
/** The certificate does not lead to a trusted one. */
export const TLS_UNTRUSTED = new GatewayError('tls_untrusted', 'upstream', 502, 'connect');
/** The certificate is for other names. */
export const TLS_NAME_MISMATCH = new GatewayError('tls_name_mismatch', 'upstream', 502, 'connect');
/** The certificate is not valid any more, or not yet. */
export const TLS_EXPIRED = new GatewayError('tls_expired', 'upstream', 502, 'connect');
/** The public key is not one of the configured ones. */
export const TLS_PIN_MISMATCH = new GatewayError('tls_pin_mismatch', 'upstream', 502, 'connect');
/** Everything else: no common version, an upstream that does not speak TLS, a refused client certificate. */
export const TLS_HANDSHAKE_FAILED = new GatewayError('tls_handshake_failed', 'upstream', 502, 'connect');
/** With TLS 1.3 a client learns after the first request that its certificate is refused (RFC 8446 §4.4.2.4). */
export const TLS_REFUSED_LATE = new GatewayError('tls_handshake_failed', 'upstream', 502, 'reset');
/** The upstream takes no more of the request. */
export const SEND_TIMEOUT = new GatewayError('send_timeout', 'upstream', 504, 'timeout');
export const UPSTREAM_CLOSED = new GatewayError('upstream_closed', 'upstream', 502, 'reset');
export const UPSTREAM_RESET = new GatewayError('upstream_reset', 'upstream', 502, 'reset');
export const BAD_RESPONSE = new GatewayError('bad_response', 'upstream', 502, 'bad_response');
/** Beyond the pool's `limits`: a code of its own, since a setting helps. */
export const RESPONSE_HEAD_TOO_LARGE = new GatewayError('response_head_too_large', 'upstream', 502, 'bad_response');
export const FIRST_BYTE_TIMEOUT = new GatewayError('first_byte_timeout', 'upstream', 504, 'timeout');
export const RESPONSE_TIMEOUT = new GatewayError('response_timeout', 'upstream', 504, 'timeout');
/** The response to a policy's request has a longer body than the policy takes. */
export const RESPONSE_TOO_LARGE = new GatewayError('response_too_large', 'upstream', 502);
export const RESPONSE_TRUNCATED = new GatewayError('response_truncated', 'upstream', 502, 'reset');

/* Caused by the gateway. */
export const NO_ROUTE = new GatewayError('no_route', 'gateway', 404);
/** CONNECT to a listener that is not a forward proxy (RFC 9110 §9.3.6). */
export const CONNECT_UNSUPPORTED = new GatewayError('connect_unsupported', 'gateway', 501);
export const NO_ENDPOINT = new GatewayError('no_endpoint', 'gateway', 503);
export const POOL_FULL = new GatewayError('pool_full', 'gateway', 503);
/** The request reached the queue's time limit. */
export const QUEUE_TIMEOUT = new GatewayError('queue_timeout', 'gateway', 503);
/** No file descriptor, port or memory for another connection. */
export const OUT_OF_RESOURCES = new GatewayError('out_of_resources', 'gateway', 503);
export const TOTAL_TIMEOUT = new GatewayError('total_timeout', 'upstream', 504);
/** The gateway itself has more work than it can do. */
export const OVERLOADED = new GatewayError('overloaded', 'gateway', 503);
/** The memory for buffered bodies is in use. */
export const BUFFERS_FULL = new GatewayError('buffers_full', 'gateway', 503);
export const DRAINED = new GatewayError('drained', 'gateway', 503);
/** The current config would not have admitted the connection. */
export const DENIED = new GatewayError('denied', 'gateway', 403);
/** A policy did not decide about a request in time. */
export const POLICY_TIMEOUT = new GatewayError('policy_timeout', 'gateway', 504);
/** A hook of a `module` policy has thrown, or a body filter has sent more or less than it announced. */
export const POLICY_FAILED = new GatewayError('policy_failed', 'gateway', 500);
/** A policy has asked for a request that cannot be sent. */
export const INVALID_SUBREQUEST = new GatewayError('invalid_subrequest', 'gateway', 500);
/** The exchange is over for which a policy has sent a request. Only the policy learns of it. */
export const EXCHANGE_OVER = new GatewayError('exchange_over', 'gateway', 503);
export const INTERNAL = new GatewayError('internal', 'gateway', 500);
