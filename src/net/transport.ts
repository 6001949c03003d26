/**
 * A byte stream to a peer, as the protocols above see it. Hot.
 *
 * Two implementations pass the same tests: net/handle-transport.ts uses Node's stream handles without the stream
 * machinery (see docs/adr/0002), net/socket-transport.ts the public net.Socket. net/stream-handles.ts decides once
 * which one is used.
 *
 * Rules that keep callers simple:
 *
 *  - `destroy` and `reset` are silent: no handler is called afterwards.
 *  - handlers are never called from inside a write; a broken connection is reported on a later tick.
 *  - a write that returns `false` still took its bytes; `onDrain` follows once the kernel has everything.
 */

/**
 * Seconds without traffic after which TCP probes a connection. Probes detect a dead peer where no timeout runs: on
 * streams and tunnels that may be silent indefinitely.
 */
export const KEEPALIVE_SECONDS = 60;

export interface TransportHandler {
  /**
   * bytes[start, end) arrived. They are valid during the call only, unless they were given to a `write` that returned
   * `false` and reading was paused before the call returned.
   */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** The kernel has taken all written bytes, after a write had returned `false`. */
  onDrain(): void;
  /**
   * The peer will send no more (FIN). Writing is still possible. A handler that is set later is told again, on the tick
   * after it has resumed.
   */
  onEnd(): void;
  /** The connection is gone; `code` is the system's name for the cause: ECONNRESET, EPIPE, … Called once. */
  onClose(code: string): void;
}

export interface TransportAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface Transport {
  handler: TransportHandler;
  /** The transport can't be read or written any more. */
  readonly closed: boolean;
  /** The kernel has not taken all written bytes yet; those bytes are still in use. */
  readonly pending: boolean;
  /** What it carries is encrypted. */
  readonly secure: boolean;
  /** The protocol that both sides have negotiated (ALPN, RFC 7301), or null. */
  readonly protocol: string | null;
  readonly bytesRead: number;
  /** Bytes given to writes, whether or not they have been sent. */
  readonly bytesWritten: number;
  /** The part of `bytesWritten` that the kernel has taken. */
  readonly bytesSent: number;
  /** Sends text; each character is one byte. */
  writeText(text: string): boolean;
  /** Sends prefix, bytes[start, end) and suffix in one write. */
  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean;
  pause(): void;
  resume(): void;
  /** Sends a FIN after all written bytes. */
  end(): void;
  /** Closes now; unsent bytes are lost. */
  destroy(): void;
  /** Closes now, with a RST if the transport supports it, so that the peer notices a broken stream. */
  reset(): void;
  /** The addresses as of the first call. */
  addresses(): TransportAddresses;
}

/** A handler for transports that are being closed. */
export const IGNORE: TransportHandler = {
  onBytes() {},
  onDrain() {},
  onEnd() {},
  onClose() {},
};
