/** A TLS handshake: what goes into it, and who learns how it ends. Types only. */
import type { SecureContext } from 'node:tls';
import type { Transport } from '../transport.ts';
import type { TlsInfo } from './tls-info.ts';

/** What a handshake negotiates. */
export interface TlsOptions {
  readonly context: SecureContext;
  readonly server: boolean;
  /** ALPN protocols in wire form (RFC 7301 §3.1), most wanted first; null: none. */
  readonly alpn: Buffer | null;
  /** The server name that a client sends (RFC 6066 §3), or ''. */
  readonly serverName: string;
  /** A session to resume, or null. */
  readonly session: Buffer | null;
  /** Whether a server asks for a certificate of the client. The observer judges it; a client without one gets an alert. */
  readonly clientCertificate: 'none' | 'optional' | 'required';
}

/** Learns how the handshake ends. */
export interface HandshakeObserver {
  /** Called once, before any bytes arrive. It sets the transport's handler. */
  onSecured(transport: Transport, info: TlsInfo): void;
  /** Called once, in place of `onSecured`; the transport is closed. */
  onHandshakeFailed(code: string): void;
  /** A session that a later connection may resume; clients only. It may be called at any time after `onSecured`. */
  onSession?(session: Buffer): void;
}

/** A handshake in progress. */
export interface Handshake {
  /** Ends it; the observer gets no further calls. */
  cancel(): void;
}
