/** Part of the Plan: an address to listen on or to dial. Cold; types only. */

/** An address to listen on or to dial: a host and port, or the path of a Unix socket. */
export interface AddressPlan {
  /** As written, for people. */
  readonly text: string;
  /** An IP literal without brackets, or a DNS name; empty for a Unix socket. */
  readonly host: string;
  /** 0 for a Unix socket, or "any free port" on a listener. */
  readonly port: number;
  /** The path of the Unix socket, or null. */
  readonly path: string | null;
}
