/**
 * A client connection's addresses and listener, for any protocol. Hot.
 *
 * The listeners (proxy/http-listener.ts, proxy/tcp-listener.ts) create one for each accepted socket. Admission, the
 * identity fields and the logs read it.
 */
import type { TlsSession } from './tls/tls-session.ts';
import type { TransportAddresses } from './transport.ts';

export class Connection {
  /** The peer's address as text: IPv4, IPv6 without brackets (IPv4-mapped shown as IPv4), or `unix:`. */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The connection's listener, which a reload may rename. */
  listener: string;
  readonly secure: boolean;
  /** null: without TLS, or before the end of its handshake. */
  tls: TlsSession | null = null;
  /** A cache of http/identity.ts: the last identity lines, with the plan and the authority that they were built for. */
  identityPlan: object | null = null;
  identityAuthority = '\n';
  identityLines = '';

  constructor(addresses: TransportAddresses, listener: string, secure: boolean) {
    this.clientAddress = addresses.remoteAddress;
    this.clientPort = addresses.remotePort;
    this.localAddress = addresses.localAddress;
    this.localPort = addresses.localPort;
    this.listener = listener;
    this.secure = secure;
  }
}
