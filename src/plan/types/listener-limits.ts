/** Part of the Plan: the limits and timeouts of a listener. Cold; types only. */

export interface ListenerLimits {
  /** 0: no limit, in all of these. */
  readonly connections: number;
  readonly connectionsPerClient: number;
  /** TLS handshakes at once. */
  readonly handshakes: number;
  readonly headerSize: number;
  readonly headerCount: number;
  readonly uriSize: number;
  readonly bodySize: number;
}

/** Milliseconds; see the schema for what each one limits. */
export interface ListenerTimeouts {
  readonly handshake: number;
  readonly header: number;
  readonly body: number;
  readonly idle: number;
  readonly send: number;
}
