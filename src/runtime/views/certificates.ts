/** What the admin pages and the metrics show of certificates. Cold. */
import type { CertificateStatus } from '../../acme/managed-certificate.ts';
import type { CertificateGauges } from '../../observe/exposition.ts';
import type { CertificatePlan } from '../../plan/types/tls.ts';
import type { ViewedGateway } from './viewed-gateway.ts';

export interface CertificateView {
  readonly name: string;
  /** Identifies it to the manager; null: a file. */
  readonly key: string | null;
  /** `file`, `issued` by the config, or `on_demand`. */
  readonly source: 'file' | 'issued' | 'on_demand';
  readonly names: readonly string[];
  readonly state: 'valid' | 'expired' | 'temporary';
  /** Of the issuer in the config, or the subject of the issuer of a file. */
  readonly issuer: string;
  readonly key_type: string;
  /** ISO times. */
  readonly not_before: string;
  readonly not_after: string;
  /** null: a file. */
  readonly renewal: RenewalView | null;
}

export interface RenewalView {
  /** ISO time. */
  readonly next_attempt: string;
  /** Attempts in a row that have failed. */
  readonly failures: number;
  readonly problem: {
    readonly issuer: string;
    readonly code: string;
    readonly detail: string;
    readonly at: string;
  } | null;
  /** The window that the issuer suggests. */
  readonly suggested: { readonly start: string; readonly end: string } | null;
}

/** The certificates of the current plan, then those on demand. */
export function certificateViews({ current, certificates, clock }: ViewedGateway): CertificateView[] {
  if (current === null) return [];
  const { plan } = current;
  const statuses = new Map(certificates.statuses().map((status) => [status.key, status]));
  const views = plan.certificates.flatMap((one) => {
    if (one.type === 'file') return [fileView(one, clock.wall())];
    const key = certificates.engine?.keyOf(one, plan) ?? '';
    const status = statuses.get(key);
    statuses.delete(key);
    return status === undefined ? [] : [statusView(one.name, 'issued', one.keyType, status)];
  });
  const others = [...statuses.values()].map((status) => statusView(status.names[0] ?? '', 'on_demand', '', status));
  return [...views, ...others];
}

function fileView(one: CertificatePlan & { readonly type: 'file' }, now: number): CertificateView {
  const { name, names, issuer, keyType, notBefore, notAfter } = one;
  return {
    name,
    key: null,
    source: 'file',
    names,
    state: notAfter > now ? 'valid' : 'expired',
    issuer,
    key_type: keyType,
    not_before: iso(notBefore),
    not_after: iso(notAfter),
    renewal: null,
  };
}

function statusView(
  name: string,
  source: 'issued' | 'on_demand',
  keyType: string,
  { key, names, state, issuer, notBefore, notAfter, nextAttempt, failures, problem, suggested }: CertificateStatus,
): CertificateView {
  return {
    name,
    key,
    source,
    names,
    state,
    issuer,
    key_type: keyType,
    not_before: iso(notBefore),
    not_after: iso(notAfter),
    renewal: {
      next_attempt: iso(nextAttempt),
      failures,
      problem: problem === null ? null : { ...problem, at: iso(problem.at) },
      suggested: suggested === null ? null : { start: iso(suggested.start), end: iso(suggested.end) },
    },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Names on demand are many, and clients choose them: they have no series of their own. */
export function certificateGauges(gateway: ViewedGateway): CertificateGauges[] {
  return certificateViews(gateway)
    .filter(({ source }) => source !== 'on_demand')
    .map(({ name, state, not_after, renewal }) => ({
      certificate: name,
      notAfter: Date.parse(not_after),
      renewal:
        renewal === null
          ? null
          : {
              nextAttempt: Date.parse(renewal.next_attempt),
              temporary: state === 'temporary',
              failures: renewal.failures,
            },
    }));
}

/** Names shown at most: a page without access control lists no more. */
const MOST_TOLD = 20;

/** The names of the certificates of the config that are self-signed for now. */
export function temporaryCertificates(gateway: ViewedGateway): string[] {
  return certificateViews(gateway)
    .filter(({ source, state }) => source === 'issued' && state === 'temporary')
    .map(({ name }) => name)
    .slice(0, MOST_TOLD);
}
