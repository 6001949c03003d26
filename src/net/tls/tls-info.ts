/** What a TLS handshake has negotiated, and why one failed. Hot. */
import type { PeerCertificate } from '../stream-handles.ts';

/** Asked of Node's handle, or of its socket: each question costs, so that only those are asked whose answer counts. */
export interface TlsInfo {
  /** TLSv1.3, …; null: unknown. */
  getProtocol(): string | null;
  getCipher(): { readonly standardName: string };
  getEphemeralKeyInfo(): unknown;
  getPeerX509Certificate(): PeerCertificate | undefined;
  isSessionReused(): boolean;
  /** Why the peer's certificate is not trusted; null or undefined: it is, or there is none. */
  verifyError(): (Error & { code?: string }) | null | undefined;
}

/**
 * The code of an error of OpenSSL for the log, such as `tls_no_shared_cipher` or `tls_alert_unknown_ca`; a system error
 * keeps its name.
 */
export function tlsErrorCode(error: Error & { code?: string }): string {
  const { code = '' } = error;
  if (!code.startsWith('ERR_SSL_')) return code === '' ? 'tls_error' : code;
  const reason = code.slice('ERR_SSL_'.length).toLowerCase();
  const alert = /^(?:tlsv1|tlsv13|sslv3)_alert_(.+)$/.exec(reason);
  return alert === null ? `tls_${reason}` : `tls_alert_${alert[1]}`;
}
