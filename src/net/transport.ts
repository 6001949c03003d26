/**
 * A connection to a peer, as the protocols above see it: a byte stream with addresses. Hot.
 *
 * Two implementations pass the same tests: net/handle-transport.ts uses Node's stream handles without the stream
 * machinery (see docs/adr/0002), net/socket-transport.ts the public net.Socket. net/stream-handles.ts decides once
 * which one is used. Bytes have left when the kernel has taken them; an end is a FIN, a reset a RST if the transport
 * supports it.
 */
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';

/**
 * Seconds without traffic after which TCP probes a connection. Probes detect a dead peer where no timeout runs: on
 * streams and tunnels that may be silent indefinitely.
 */
export const KEEPALIVE_SECONDS = 60;

export interface TransportAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

export interface Transport extends ByteStream {
  /** One that is set later, when the protocol changes, is told of the end again, on the tick after it has resumed. */
  handler: ByteStreamHandler;
  /** What it carries is encrypted. */
  readonly secure: boolean;
  /** The protocol that both sides have negotiated (ALPN, RFC 7301), or null. */
  readonly protocol: string | null;
  readonly bytesRead: number;
  /** Bytes given to writes, whether or not they have been sent. */
  readonly bytesWritten: number;
  /** The addresses as of the first call. */
  addresses(): TransportAddresses;
}
