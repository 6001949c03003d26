/** The TLS handshake of a hypothetical client, judged as OpenSSL and net/tls/client-auth.ts judge a real one. Cold. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { CERTIFICATE_BLOCK } from '../kit/client-authorities.ts';
import { ClientCertificate } from '../kit/client-certificate.ts';
import type { ServerPolicies } from '../net/tls/server-policies.ts';
import { TlsSession } from '../net/tls/tls-session.ts';

/** Why a connection is not served. */
export interface FailedHandshake {
  /** Of the response; null: there is none. */
  readonly status: number | null;
  readonly why: string;
}

/** The client's certificate and those of its issuers; null: the text has none, or one that is damaged. */
export function readCertificate(pem: string): ClientCertificate | null {
  try {
    const [leaf, ...issuers] = (pem.match(CERTIFICATE_BLOCK) ?? []).map((block) => new X509Certificate(block));
    return leaf === undefined ? null : new ClientCertificate(leaf, issuers);
  } catch {
    return null;
  }
}

/** The server name that a client sends for this host: none for an address (RFC 6066 §3). */
export function serverNameFor(host: string): string {
  const name = host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
  return name.startsWith('[') || isIP(name) !== 0 ? '' : name;
}

/** `certificate`: PEM, or ''; `now`: Unix ms. */
export function handshake(
  policies: ServerPolicies,
  serverName: string,
  certificate: string,
  now: number,
): TlsSession | FailedHandshake {
  const policy = policies.of(serverName);
  const { clientAuth } = policy;
  const session = (client: ClientCertificate | null): TlsSession => new TlsSession(policy, serverName, '', '', client);
  if (clientAuth === null) return session(null);
  if (certificate === '')
    return clientAuth.mode === 'optional'
      ? session(null)
      : { status: null, why: 'the TLS handshake fails: clients need a certificate' };
  const client = readCertificate(certificate);
  const reason = client === null ? 'malformed' : policy.authorities.refusal(client, clientAuth.depth, now);
  if (reason === '') return session(client);
  return { status: 400, why: `its client certificate is not accepted: ${reason.replaceAll('_', ' ')}` };
}
