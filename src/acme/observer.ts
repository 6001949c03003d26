/** What the owner of a manager hears of certificates. Types only. */
import type { AcmeError } from './client/acme-error.ts';
import type { CertificateStatus } from './managed-certificate.ts';

/** Hears what happens to certificates. */
export interface CertificateObserver {
  /** A pair is in use now: `issued` by us, `shared` by another gateway, `stored` earlier, or `temporary`. */
  changed(status: CertificateStatus, how: 'issued' | 'shared' | 'stored' | 'temporary'): void;
  failed(status: CertificateStatus, issuer: string, error: AcmeError): void;
  /** The store can't be read or written. */
  troubled(reason: string): void;
}
