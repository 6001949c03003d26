/**
 * A byte stream to a peer, as the protocols above see it. Hot.
 *
 * Two implementations pass the same tests: net/handle-transport.ts works on Node's stream handles without the stream
 * machinery (see docs/adr/0002), net/socket-transport.ts on the public net.Socket. Which one is used is decided once, in
 * net/transport-kind.ts.
 *
 * Rules that keep callers simple:
 *  - `destroy` and `reset` are silent: no handler is called afterwards.
 *  - handlers are never called from inside a write; a broken connection is reported on a later tick.
 *  - a write that answers `false` was taken all the same; `onDrain` follows once the kernel has everything.
 */

/**
 * A TCP connection without traffic is probed after so many seconds, so that a peer that is gone is noticed where no timeout
 * runs: on a stream or tunnel that may be silent for as long as it likes.
 */
export const KEEPALIVE_SECONDS = 60;

export interface TransportHandler {
  /**
   * bytes[start, end) arrived. They are valid during the call only, unless they were given to a `write` that answered
   * `false` and reading was paused before the call returned.
   */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** Everything written has left for the kernel, after a write had answered `false`. */
  onDrain(): void;
  /**
   * The peer will send no more (FIN). Writing is still possible. A handler that takes over later is told again, on the
   * tick after it has resumed.
   */
  onEnd(): void;
  /** The connection is gone; `code` is the system's name for why: ECONNRESET, EPIPE, … Called once. */
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
  /** No more can be read or written. */
  readonly closed: boolean;
  /** Something written has not been taken by the kernel yet, and its bytes are still needed. */
  readonly pending: boolean;
  readonly bytesRead: number;
  /** What was given to writes, whether or not it has left. */
  readonly bytesWritten: number;
  /** What of it the kernel has taken. */
  readonly bytesSent: number;
  /** Sends text, each character one byte. */
  writeText(text: string): boolean;
  /** Sends prefix, bytes[start, end) and suffix in one go. */
  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean;
  pause(): void;
  resume(): void;
  /** Sends FIN after everything written. */
  end(): void;
  /** Closes now; what has not been sent is lost. */
  destroy(): void;
  /** Closes now with RST where the transport can, so that the peer notices a broken stream. */
  reset(): void;
  /** As they were when first asked for. */
  addresses(): TransportAddresses;
}

/** A handler for transports that are on their way out. */
export const IGNORE: TransportHandler = {
  onBytes() {},
  onDrain() {},
  onEnd() {},
  onClose() {},
};
