/**
 * Decides between each certificate of a plan and the one of its name in effect, so that none gets worse. Cold.
 *
 * A pair of a folder that cannot be used, or is not valid at this time, leaves the one in effect where it is. If a pair
 * that the config itself names is not valid, and the one in effect is, the config is refused. Where nothing better is
 * in effect, as at a start, the gateway serves what there is: a restart must not end what still works for some clients.
 */
import { segment } from '../../config/walk.ts';
import { expiry, isValidAt } from '../../kit/certificate.ts';
import type { Plan } from '../../plan/types.ts';
import type { CertificatePlan, FileCertificatePlan } from '../../plan/types/tls.ts';
import { OpenError, type OpenFailure } from './open-error.ts';

/** `now`: Unix ms. Throws an OpenError. */
export function withServedCertificates(plan: Plan, current: Plan | null, now: number): Plan {
  const { certificates, brokenCertificates: broken } = plan;
  if (current === null || (broken.length === 0 && certificates.every((one) => isValid(one, now)))) return plan;
  const before = new Map(current.certificates.map((one) => [one.name, one]));
  const failures: OpenFailure[] = [];
  const served = certificates.map((one) => {
    const old = before.get(one.name);
    if (one.type !== 'file' || old?.type !== 'file' || isValid(one, now) || !isValid(old, now)) return one;
    if (one.entry !== one.name) return old;
    failures.push(failureOf(one, old, now));
    return one;
  });
  if (failures.length > 0) throw new OpenError(failures);
  return { ...plan, certificates: [...served, ...broken.flatMap((name) => before.get(name) ?? [])] };
}

/** The gateway itself renews those that it obtains. */
function isValid(one: CertificatePlan, now: number): boolean {
  return one.type !== 'file' || isValidAt(one, now);
}

function failureOf(one: FileCertificatePlan, old: FileCertificatePlan, now: number): OpenFailure {
  const until = new Date(old.notAfter).toISOString();
  return {
    message: `certificate ${one.name} ${expiry(one, now)?.message ?? ''}; the one in effect is valid until ${until}`,
    code: 'CERTIFICATE',
    pointer: certificatePointer(one.name),
  };
}

/** Where a config names the file of a certificate. */
export function certificatePointer(name: string): string {
  return `/certificates/${segment(name)}/cert`;
}
