/** What a client's TLS handshake has established, for the whole of its connection. Hot to read, made once. */
import type { ClientCertificate } from '../../kit/client-certificate.ts';
import type { TlsPolicy } from './server-policies.ts';

export class TlsSession {
  /** The policy that the handshake met, or one that a reload has put in its place and the client satisfies too. */
  policy: TlsPolicy;
  /** As the client sent it, in lower case, or ''. */
  readonly serverName: string;
  /** TLSv1.3, …; '': nothing needs it. */
  readonly version: string;
  /** The IANA name; '': nothing needs it. */
  readonly cipher: string;
  /** null: the client has none. */
  readonly client: ClientCertificate | null;
  /** A cache of the access log: its members of the lines of this connection. */
  logged: Uint8Array | null = null;

  constructor(
    policy: TlsPolicy,
    serverName: string,
    version: string,
    cipher: string,
    client: ClientCertificate | null,
  ) {
    this.policy = policy;
    this.serverName = serverName;
    this.version = version;
    this.cipher = cipher;
    this.client = client;
  }
}
