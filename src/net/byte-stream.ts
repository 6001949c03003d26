/**
 * Bytes in both directions between the gateway and a peer, whatever carries them. Hot.
 *
 * A transport (transport.ts) is one, and so is the rest of a connection that has changed protocols
 * (http/h1/switched-stream.ts). Tunnels join two of them. The stream of an extended CONNECT (RFC 8441) has to implement
 * this interface and nothing else.
 *
 * Rules that keep callers simple:
 *
 *  - `destroy` and `reset` are silent: no handler is called afterwards.
 *  - handlers are never called from inside a write; a broken stream is reported on a later tick.
 *  - a write that returns `false` still took its bytes; `onDrain` follows once all of them have left.
 *  - `resume` may deliver bytes that have already arrived before it returns, but neither the end nor a failure.
 */
import type { TransportAddresses } from './transport.ts';

export interface ByteStreamHandler {
  /**
   * bytes[start, end) arrived. They are valid during the call only, unless they were given to a `write` that returned
   * `false` and reading was paused before the call returned.
   */
  onBytes(bytes: Buffer, start: number, end: number): void;
  /** All written bytes have left, after a write had returned `false`. */
  onDrain(): void;
  /** The peer will send no more. Writing is still possible. */
  onEnd(): void;
  /** The stream is gone; `code` is the cause, for a connection the system's name: ECONNRESET, EPIPE, … Called once. */
  onClose(code: string): void;
}

export interface ByteStream {
  /** Set before the first `resume`. */
  handler: ByteStreamHandler;
  /** The stream can't be read or written any more. */
  readonly closed: boolean;
  /** Some of the written bytes have not left yet; those bytes are still in use. */
  readonly pending: boolean;
  /** Bytes of all writes that have left: to the kernel, or as far as the flow control of a shared connection allows. */
  readonly bytesSent: number;
  /** Sends text; each character is one byte. */
  writeText(text: string): boolean;
  /** Sends prefix, bytes[start, end) and suffix in one write. */
  write(prefix: string, bytes: Buffer, start: number, end: number, suffix: string): boolean;
  pause(): void;
  resume(): void;
  /** Tells the peer that no more follows, behind all written bytes. */
  end(): void;
  /** Closes now; unsent bytes are lost. */
  destroy(): void;
  /** Closes now, in a way that lets the peer notice a broken stream, if the stream has one. */
  reset(): void;
  /** The addresses of the transport that carries this stream alone; null: there is none. */
  addresses(): TransportAddresses | null;
}

/** A handler for streams that are being closed. */
export const IGNORE: ByteStreamHandler = {
  onBytes() {},
  onDrain() {},
  onEnd() {},
  onClose() {},
};
