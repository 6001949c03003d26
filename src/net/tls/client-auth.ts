/** Judges the client's certificate when a handshake is done. Hot: once per connection. */
import { ClientCertificate } from '../../kit/client-certificate.ts';
import { certificateOf, certificatesOf } from '../stream-handles.ts';
import type { TlsPolicy } from './server-policies.ts';
import type { TlsInfo } from './tls-info.ts';

/** Who a client is. */
export interface Authentication {
  /** null: it has no certificate. */
  readonly client: ClientCertificate | null;
  /** The code of the failure; '': the client may pass. */
  readonly error: string;
}

const ANONYMOUS: Authentication = { client: null, error: '' };
const MISSING: Authentication = { client: null, error: 'tls_client_certificate_missing' };

/**
 * OpenSSL has verified
 * the chain in the handshake, or in the one whose session is resumed; Node leaves the verdict to us. `now`: Unix ms.
 */
export function authenticate(info: TlsInfo, policy: TlsPolicy, now: number): Authentication {
  const { clientAuth } = policy;
  if (clientAuth === null) return ANONYMOUS;
  const peer = info.getPeerX509Certificate();
  if (peer === undefined) return clientAuth.mode === 'required' ? MISSING : ANONYMOUS;
  const error = info.verifyError();
  // Any client can send a long chain: only that of one whom OpenSSL trusts is read.
  if (error !== null && error !== undefined)
    return refused(new ClientCertificate(certificateOf(peer), []), error.code ?? 'certificate_invalid');
  const [x509, ...issuers] = certificatesOf(peer);
  const client = new ClientCertificate(x509!, issuers);
  const reason = reasonAgainst(client, policy, now);
  return reason === '' ? { client, error: '' } : refused(client, reason);
}

function refused(client: ClientCertificate, reason: string): Authentication {
  return { client, error: `tls_client_${reason.toLowerCase()}` };
}

/** What OpenSSL does not judge. */
function reasonAgainst(client: ClientCertificate, policy: TlsPolicy, now: number): string {
  // A session may be resumed after the certificate has expired.
  if (client.notAfter < now) return 'cert_has_expired';
  const { depth } = policy.clientAuth!;
  if (client.issuers.length >= depth) {
    const found = policy.authorities.depthOf(client);
    if (found > depth || (found < 0 && client.issuers.length > depth)) return 'cert_chain_too_long';
  }
  return '';
}
