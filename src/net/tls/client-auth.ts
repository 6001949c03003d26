/** Judges the client's certificate when a handshake is done. Hot: once per connection. */
import { ClientCertificate } from '../../kit/client-certificate.ts';
import { certificatesOf } from '../stream-handles.ts';
import type { TlsPolicy } from './server-policies.ts';
import type { TlsInfo } from './tls-info.ts';

/**
 * Returns the certificate, null if the client has none and needs none, or the code of the failure. OpenSSL has verified
 * the chain in the handshake, or in the one whose session is resumed; Node leaves the verdict to us. `now`: Unix ms.
 */
export function authenticate(info: TlsInfo, policy: TlsPolicy, now: number): ClientCertificate | null | string {
  const { clientAuth } = policy;
  if (clientAuth === null) return null;
  const peer = info.getPeerX509Certificate();
  if (peer === undefined) return clientAuth.mode === 'required' ? 'tls_client_certificate_missing' : null;
  const error = info.verifyError();
  if (error !== null && error !== undefined) return refusedFor(error.code ?? 'certificate_invalid');
  const [x509, ...issuers] = certificatesOf(peer);
  const client = new ClientCertificate(x509!, issuers);
  // A session may be resumed after the certificate has expired.
  if (client.notAfter < now) return refusedFor('cert_has_expired');
  const { depth } = clientAuth;
  if (client.issuers.length >= depth) {
    const found = policy.authorities.depthOf(client);
    if (found > depth || (found < 0 && client.issuers.length > depth)) return refusedFor('cert_chain_too_long');
  }
  return client;
}

function refusedFor(reason: string): string {
  return `tls_client_${reason.toLowerCase()}`;
}
