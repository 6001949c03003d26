/** Compares the certificates of two plans: renewed ones by their names and validity, never by their texts. Cold, pure. */
import { certificateUsers } from '../certificate-users.ts';
import type { Plan } from '../types.ts';
import type { CertificatePlan, FileCertificatePlan } from '../types/tls.ts';
import { type Action, type Change, change } from './changes.ts';
import { settingsBetween, sideBySide, type Terms } from './reading.ts';

/** The setting that a renewal changes. */
const VALIDITY = 'not_after';

export function* certificateChanges(before: Plan, after: Plan, terms: Terms): Generator<Change> {
  const broken = new Set(after.brokenCertificates);
  const [old, now] = [certificateUsers(before), certificateUsers(after)];
  for (const [name, a, b] of sideBySide(before.certificates, after.certificates, (one) => one.name)) {
    // Its last version stays in effect.
    if (a === b || (b === null && broken.has(name))) continue;
    const action = actionOf(a, b);
    const settings = settingsBetween('certificate', inShort(a), inShort(b), terms);
    if (action === 'changed' && settings.length === 0) continue;
    const users = (b === null ? old : now).get(name) ?? [];
    yield change({
      kind: 'certificate',
      name,
      action,
      settings: action === 'renewed' ? settings.filter(({ setting }) => setting !== VALIDITY) : settings,
      used_by: users.slice(0, 10).map((listener) => `listener ${listener}`),
      users: users.length,
      ...(action === 'renewed' && b?.type === 'file' ? { effects: [`valid until ${iso(b.notAfter)}`] } : {}),
    });
  }
}

function actionOf(a: CertificatePlan | null, b: CertificatePlan | null): Action {
  if (a === null) return 'added';
  if (b === null) return 'removed';
  return a.type === 'file' && b.type === 'file' && a.fingerprint !== b.fingerprint ? 'renewed' : 'changed';
}

/** What operators know a certificate by. */
function inShort(one: CertificatePlan | null): object | null {
  if (one === null) return null;
  if (one.type === 'file') return ofFile(one);
  const { type: _, name: __, ...rest } = one;
  return rest;
}

function ofFile({ file, names, issuer, keyType, notAfter }: FileCertificatePlan): object {
  return { ...(file === '' ? {} : { cert: file }), names, issuer, keyType, notAfter: iso(notAfter) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
