/**
 * What is known of a client's connection, whatever protocol it speaks. Hot.
 *
 * Made by net/accept.ts once per accepted socket; read by admission, by the identity fields and by the logs.
 */
import type { TransportAddresses } from './transport.ts';

export class Connection {
  /** The peer's address as text: IPv4, IPv6 without brackets (IPv4-mapped shown as IPv4), or `unix:`. */
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** The listener that it belongs to, which a reload may rename. */
  listener: string;
  readonly secure: boolean;
  /** What http/identity.ts last said of this connection, for which authority and by which plan. */
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
