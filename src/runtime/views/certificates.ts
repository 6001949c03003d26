/** What the admin pages and the metrics show of certificates. Cold. */
import type { CertificateStatus } from '../../acme/managed-certificate.ts';
import { type CertificatePair, expiry } from '../../kit/certificate.ts';
import type { CertificateGauges } from '../../observe/exposition.ts';
import { certificateUsers } from '../../plan/certificate-users.ts';
import type { FileCertificatePlan } from '../../plan/types/tls.ts';
import type { ViewedGateway } from './viewed-gateway.ts';

export interface CertificateView {
  readonly name: string;
  /** Identifies it to the manager; null: a file. */
  readonly key: string | null;
  /** `file`, `issued` by the config, or `on_demand`. */
  readonly source: 'file' | 'issued' | 'on_demand';
  /** The absolute path; '': there is none. */
  readonly file: string;
  readonly names: readonly string[];
  /** `expiring`: it should have been renewed. */
  readonly state: 'valid' | 'expiring' | 'expired' | 'not_yet_valid' | 'temporary';
  /** Of the issuer in the config, or the subject of the issuer of a file. */
  readonly issuer: string;
  readonly key_type: string;
  /** Hex SHA-256 of the certificate; '': none is known. */
  readonly fingerprint: string;
  /** ISO times. */
  readonly not_before: string;
  readonly not_after: string;
  /** Whole days; below 0: it has expired. */
  readonly days_left: number;
  /** The listeners that have it. */
  readonly used_by: readonly string[];
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
  const now = clock.wall();
  const users = certificateUsers(plan);
  const statuses = new Map(certificates.statuses().map((status) => [status.key, status]));
  const views = plan.certificates.flatMap((one) => {
    if (one.type === 'file') return [fileView(one, users.get(one.name) ?? [], now)];
    const key = certificates.engine?.keyOf(one, plan) ?? '';
    const status = statuses.get(key);
    statuses.delete(key);
    const issued = {
      name: one.name,
      source: 'issued',
      key_type: one.keyType,
      used_by: users.get(one.name) ?? [],
    } as const;
    return status === undefined ? [] : [statusView(issued, status, now)];
  });
  const others = [...statuses.values()].map((status) =>
    statusView({ name: status.names[0] ?? '', source: 'on_demand', key_type: '', used_by: [] }, status, now),
  );
  return [...views, ...others];
}

function fileView(one: FileCertificatePlan, usedBy: readonly string[], now: number): CertificateView {
  const { name, file, names, issuer, keyType, fingerprint } = one;
  return {
    name,
    key: null,
    source: 'file',
    file,
    names,
    state: expiry(one, now)?.state ?? 'valid',
    issuer,
    key_type: keyType,
    fingerprint,
    ...validity(one, now),
    used_by: usedBy,
    renewal: null,
  };
}

function statusView(
  about: Pick<CertificateView, 'name' | 'source' | 'key_type' | 'used_by'>,
  status: CertificateStatus,
  now: number,
): CertificateView {
  const { key, names, state, issuer, nextAttempt, failures, problem, suggested } = status;
  return {
    ...about,
    key,
    file: '',
    names,
    state,
    issuer,
    fingerprint: '',
    ...validity(status, now),
    renewal: {
      next_attempt: iso(nextAttempt),
      failures,
      problem: problem === null ? null : { ...problem, at: iso(problem.at) },
      suggested: suggested === null ? null : { start: iso(suggested.start), end: iso(suggested.end) },
    },
  };
}

const DAY = 24 * 3600 * 1000;

type Validity = Pick<CertificatePair, 'notBefore' | 'notAfter'>;

function validity(
  { notBefore, notAfter }: Validity,
  now: number,
): Pick<CertificateView, 'not_before' | 'not_after' | 'days_left'> {
  return { not_before: iso(notBefore), not_after: iso(notAfter), days_left: Math.floor((notAfter - now) / DAY) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** Names on demand are many, and clients choose them: they have no series of their own. */
export function certificateGauges(gateway: ViewedGateway): CertificateGauges[] {
  return certificateViews(gateway)
    .filter(({ source }) => source !== 'on_demand')
    .map(({ name, state, not_before, not_after, renewal }) => ({
      certificate: name,
      notBefore: Date.parse(not_before),
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
